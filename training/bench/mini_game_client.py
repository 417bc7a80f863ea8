"""One player in a mini-game on the engine: what it sees, and one command every eight loops.

All goes through the engine's API; players know the game by `View` alone.
"""

from types import TracebackType
from typing import Any, NamedTuple

from s2clientprotocol import common_pb2 as common_pb
from s2clientprotocol import data_pb2 as data_pb
from s2clientprotocol import query_pb2 as query_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.session import Session
from envs.interface import Alliance
from training.bench.engine_clients import RAW, answered

STEP_LOOPS = 8
"""Between two commands, as pysc2 plays mini-games."""

Point = tuple[float, float]


class Unit(NamedTuple):
    """A unit that the player sees."""

    tag: int
    type: int
    alliance: int
    x: float
    y: float
    health: float
    is_built: bool
    weapon_cooldown: float  # loops
    order: int  # the ability that it follows, 0 without one
    aim: int  # tag of the unit that the order is about, 0 without one
    num_orders: int  # with those that wait; for buildings what is in production
    num_harvesters: int  # workers that mine here
    num_wanted_harvesters: int

    @property
    def at(self) -> Point:
        """Its position."""
        return self.x, self.y


class View(NamedTuple):
    """What the player is told."""

    loop: int
    score: int
    minerals: int
    supply_used: int
    supply_cap: int
    playable: tuple[int, int, int, int]  # left, bottom, right, top; in cells
    units: tuple[Unit, ...]

    def own(self, *unit_types: int) -> list[Unit]:
        """Return the player's units, or those of some types."""
        return self._of(Alliance.SELF, unit_types)

    def enemies(self, *unit_types: int) -> list[Unit]:
        """Return the enemy's units in sight, or those of some types."""
        return self._of(Alliance.ENEMY, unit_types)

    def neutral(self, *unit_types: int) -> list[Unit]:
        """Return what is nobody's, or those of some types."""
        return self._of(Alliance.NEUTRAL, unit_types)

    def _of(self, alliance: int, unit_types: tuple[int, ...]) -> list[Unit]:
        return [
            unit
            for unit in self.units
            if unit.alliance == alliance and (not unit_types or unit.type in unit_types)
        ]


class Command(NamedTuple):
    """What some units are to do."""

    ability: int
    tags: tuple[int, ...]
    target: int | Point | None = None  # a unit's tag, or a place


class Ability(NamedTuple):
    """Something that a unit can do now, and what it can be aimed at."""

    ability: int
    target: str  # None, Point, Unit, PointOrUnit or PointOrNone

    @property
    def takes_point(self) -> bool:
        """Whether it can be aimed at a place."""
        return "Point" in self.target

    @property
    def takes_unit(self) -> bool:
        """Whether it can be aimed at a unit."""
        return "Unit" in self.target

    @property
    def takes_none(self) -> bool:
        """Whether it can be given without an aim."""
        return "None" in self.target


class MiniGame:
    """One game of one player; a context manager."""

    def __init__(self, name: str, *, seed: int) -> None:
        """Begin a game.

        Args:
            name: of the mini-game, such as MoveToBeacon.
            seed: of all that is drawn in the game, below 2 ** 32.

        Raises:
            ValueError: there is no such mini-game.
        """
        self.is_over = False
        self._targets: dict[int, str] = {}  # of each ability, as the API names them
        self._session = Session()
        create = sc_pb.RequestCreateGame(
            local_map=sc_pb.LocalMap(map_path=f"mini_games/{name}.SC2Map"),
            player_setup=[sc_pb.PlayerSetup(type=sc_pb.Participant)],
            random_seed=seed,
        )
        self._ask(create_game=create)
        self._ask(join_game=sc_pb.RequestJoinGame(race=common_pb.Terran, options=RAW))
        area = self._ask(game_info=sc_pb.RequestGameInfo()).game_info.start_raw.playable_area
        self._playable = area.p0.x, area.p0.y, area.p1.x, area.p1.y

    def __enter__(self) -> "MiniGame":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()

    def view(self) -> View:
        """Return what the player sees now."""
        observation = self._ask(observation=sc_pb.RequestObservation()).observation.observation
        common = observation.player_common
        return View(
            loop=observation.game_loop,
            score=observation.score.score,
            minerals=common.minerals,
            supply_used=common.food_used,
            supply_cap=common.food_cap,
            playable=self._playable,
            units=tuple(map(_unit, observation.raw_data.units)),
        )

    def abilities(self, tag: int) -> list[Ability]:
        """Return what a unit of the player can be told to do now, costs considered."""
        query = query_pb.RequestQuery(
            abilities=[query_pb.RequestQueryAvailableAbilities(unit_tag=tag)]
        )
        (answer,) = self._ask(query=query).query.abilities
        if not self._targets:
            data = self._ask(data=sc_pb.RequestData(ability_id=True)).data
            self._targets = {
                ability.ability_id: data_pb.AbilityData.Target.Name(ability.target)
                for ability in data.abilities
            }
        return [
            Ability(available.ability_id, self._targets[available.ability_id])
            for available in answer.abilities
        ]

    def step(self, command: Command | None) -> None:
        """Give a command, if any, and let eight loops pass, or as many as are left."""
        if command is not None:
            order = raw_pb.ActionRawUnitCommand(ability_id=command.ability, unit_tags=command.tags)
            if isinstance(command.target, int):
                order.target_unit_tag = command.target
            elif command.target is not None:
                order.target_world_space_pos.x, order.target_world_space_pos.y = command.target
            action = sc_pb.Action(action_raw=raw_pb.ActionRaw(unit_command=order))
            self._ask(action=sc_pb.RequestAction(actions=[action]))
        answer = self._ask(step=sc_pb.RequestStep(count=STEP_LOOPS))
        self.is_over = answer.status == sc_pb.ended

    def _ask(self, **request: Any) -> sc_pb.Response:
        return answered(self._session.handle, **request)


def _unit(unit: raw_pb.Unit) -> Unit:
    first = unit.orders[0] if unit.orders else None
    return Unit(
        tag=unit.tag,
        type=unit.unit_type,
        alliance=unit.alliance,
        x=unit.pos.x,
        y=unit.pos.y,
        health=unit.health,
        is_built=unit.build_progress >= 1,
        weapon_cooldown=unit.weapon_cooldown,
        order=first.ability_id if first else 0,
        aim=first.target_unit_tag if first else 0,
        num_orders=len(unit.orders),
        num_harvesters=unit.assigned_harvesters,
        num_wanted_harvesters=unit.ideal_harvesters,
    )
