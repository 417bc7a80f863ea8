"""Small games for tests: a flat map, units put where a test wants them, orders by name."""

from envs.engine.layout import ONE
from envs.engine.match import Match, MatchOptions, PlayerKind, PlayerSetup
from envs.engine.order_queue import NOWHERE, Aim, point
from envs.engine.terrain import map_bytes, read_map

TERRAN, ZERG, PROTOSS = 1, 2, 3
ABILITIES = {
    "attack": 3674,
    "move": 3794,
    "stop": 3665,
    "hold": 3793,
    "patrol": 3795,
    "gather": 3666,
    "return": 3667,
    "smart": 1,
    "cancel": 3659,
}


class Scene:
    """A match on a flat map with fog off, and short ways to say things about it."""

    def __init__(
        self, *races: int, map_name: str = "Flat64", seed: int = 1, disable_fog: bool = True
    ) -> None:
        players = [PlayerSetup(kind=PlayerKind.PARTICIPANT, race=race) for race in races or (1, 1)]
        options = MatchOptions(disable_fog=disable_fog)
        self.match = Match(read_map(map_bytes(map_name)), players, seed=seed, options=options)
        self.game = self.match.game
        self.world = self.match.world
        self.row = self.game.tables.row

    def put(self, name: str, player: int, x: float, y: float, **values: int) -> int:
        """Put a finished unit on the map; return its tag."""
        slot = self.game.spawn(self.row[name], player, round(x * ONE), round(y * ONE))
        for field, value in values.items():
            self.game.units[field][slot] = value
        self.game.count_supply()
        return int(self.game.units["tag"][slot])

    def order(
        self,
        ability: str | int,
        *tags: int,
        at: tuple[float, float] | None = None,
        on: int = 0,
        queued: bool = False,
    ) -> int:
        """Order units of one player to do something; return the action result."""
        slots = [self.game.slot(tag) for tag in tags]
        aim = NOWHERE
        if on:
            aim = Aim(self.game.slot(on))
        elif at:
            aim = point(round(at[0] * ONE), round(at[1] * ONE))
        number = ABILITIES[ability] if isinstance(ability, str) else ability
        player = int(self.game.units["owner"][slots[0]])
        return self.match.order(player, number, slots, aim, is_queued=queued)

    def value(self, tag: int, field: str) -> int:
        """Return one of a unit's values."""
        slot = self.game.slot(tag)
        assert slot, f"there is no unit {tag}"
        return int(self.game.units[field][slot])

    def place(self, tag: int) -> tuple[float, float]:
        """Return where a unit is, in world units."""
        return self.value(tag, "x") / ONE, self.value(tag, "y") / ONE

    def health(self, tag: int) -> float:
        """Return a unit's health in points, 0 when it is dead."""
        return self.value(tag, "health") / ONE if self.lives(tag) else 0.0

    def lives(self, tag: int) -> bool:
        """Return whether a unit is still there."""
        return self.game.slot(tag) != 0

    def all_of(self, name: str, player: int) -> list[int]:
        """Return the tags of a player's units of a type."""
        return [
            int(self.game.units["tag"][slot]) for slot in self.game.slots(player, self.row[name])
        ]

    def run(self, loops: int) -> None:
        """Let game loops pass."""
        self.match.advance(loops)

    def run_until(self, is_so, limit: int) -> int:  # type: ignore[no-untyped-def]
        """Run until something is so; return how many loops it took."""
        start = self.match.loop
        while not is_so():
            assert self.match.loop - start < limit, "it did not happen in time"
            self.match.advance(1)
        return self.match.loop - start

    def give(self, player: int, minerals: int = 0, gas: int = 0) -> None:
        """Give a player resources."""
        self.world.players["minerals"][player] += minerals
        self.world.players["gas"][player] += gas

    def minerals(self, player: int) -> int:
        """Return a player's minerals."""
        return int(self.world.players["minerals"][player])
