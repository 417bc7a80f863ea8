"""A match: who plays, the game that they play, who has won, and what was commanded.

The same map, players, seed and commands give the same match, loop by loop. Computers decide
between loops, from the game's own generator, and their commands are logged like everyone's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from s2clientprotocol import debug_pb2 as debug_pb
from s2clientprotocol import raw_pb2 as raw_pb
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.aftermath import Aftermath
from envs.engine.bots.computer import Computer
from envs.engine.bots.levels import level
from envs.engine.commands import commands_of
from envs.engine.creep import HALL_RADIUS, lay_creep
from envs.engine.debugging import debug
from envs.engine.game import Game
from envs.engine.layout import ONE, Clock, Trait
from envs.engine.loop import run_loops
from envs.engine.mini_game_match import MiniGameRun
from envs.engine.order_queue import Aim
from envs.engine.orders import give
from envs.engine.production import LARVA_LOOPS
from envs.engine.terrain import GameMap
from envs.engine.unit_tables import race_units, unit_tables
from envs.engine.vision import look_now, spread_power_now

START_MINERALS, START_WORKERS, START_LARVAE = 50, 12, 3
LAST_LOOP = 1 << 19
"""Where a game that nobody wins ends in a tie, as the real one does."""

_GATHER = 3666
_RANDOM = 4


class PlayerKind(Enum):
    """Who decides for a player."""

    PARTICIPANT = auto()
    COMPUTER = auto()


@dataclass(frozen=True, kw_only=True)
class PlayerSetup:
    """One player, as the API numbers races, levels and builds."""

    kind: PlayerKind
    race: int
    difficulty: int = 0
    ai_build: int = 0
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class MatchOptions:
    """What is agreed on beside the players."""

    disable_fog: bool = False
    playback: bool = False  # computers do nothing: their commands come from a record


class ChatMessage(NamedTuple):
    """Something said in a match."""

    loop: int
    player: int
    text: str
    channel: int


class Echo(NamedTuple):
    """An accepted command as its player is told of it, with the specific ability."""

    loop: int
    player: int
    action: raw_pb.ActionRaw


class LoggedCommand(NamedTuple):
    """A command that was accepted: when, whose, and a serialized ``ActionRaw``."""

    loop: int
    player: int
    data: bytes


class Match:
    """A game in progress with its players, numbered from 1."""

    def __init__(
        self,
        game_map: GameMap,
        players: Sequence[PlayerSetup],
        *,
        seed: int,
        options: MatchOptions = MatchOptions(),
    ) -> None:
        self.game_map = game_map
        self.setups = tuple(players)
        self.seed = seed
        self.options = options
        self.random = np.random.default_rng(seed)
        self.game = Game(game_map, seed=seed)
        self.world = self.game.world
        self.aftermath = Aftermath(self.game)
        self.results: dict[int, int] = {}
        self.log: list[LoggedCommand] = []
        self.echoes: list[Echo] = []
        self.chats: list[ChatMessage] = []
        self.races = tuple(self._drawn_race(setup.race) for setup in self.setups)
        self.mini_game = MiniGameRun(self) if game_map.mini_game else None
        self._set_up()
        self.computers = [
            Computer(self, player, setup.difficulty, setup.ai_build)
            for player, setup in enumerate(self.setups, start=1)
            if setup.kind is PlayerKind.COMPUTER and not self.options.playback
        ]

    @property
    def loop(self) -> int:
        """Game loops since the start."""
        return self.game.loop

    @property
    def is_over(self) -> bool:
        """Whether the match has ended."""
        return bool(self.results)

    @property
    def players(self) -> range:
        """Numbers of the players."""
        return range(1, len(self.setups) + 1)

    def advance(self, loops: int) -> None:
        """Let game loops pass; stop early when the match is over."""
        until = self.loop + loops
        while self.loop < until and not self.is_over:
            stop = until
            for computer in self.computers:
                if computer.next_loop <= self.loop:
                    computer.decide()
                stop = min(stop, computer.next_loop)
            if self.mini_game:
                stop = self.loop + 1
            self._run_to(max(stop, self.loop + 1))
            if self.mini_game:
                self.mini_game.after_loop()

    def command(self, player: int, action: raw_pb.ActionRaw) -> int | None:
        """Give a client's command; return the API's action result, ``None`` if there is none."""
        if action.HasField("unit_command"):
            return self._unit_command(player, action.unit_command)
        return _NOT_SUPPORTED if action.HasField("toggle_autocast") else None

    def order(
        self,
        player: int,
        ability: int,
        slots: Sequence[int],
        aim: Aim,
        *,
        is_queued: bool = False,
    ) -> int:
        """Give an order to a player's own units; return the API's action result."""
        action = self._as_action(ability, slots, aim, is_queued=is_queued)
        specific = self._specific_ability(ability, slots)
        num_removed = self.game.num_removed
        result = give(self.game, player, ability, slots, aim, is_queued=is_queued)
        if result != _SUCCESS:
            return result
        self.log.append(LoggedCommand(self.loop, player, action.SerializeToString()))
        if self._is_watched(player):
            action.unit_command.ability_id = specific
            self.echoes.append(Echo(self.loop, player, action))
        self.aftermath.see_to_events()  # what the order itself has caused
        self.game.count_supply()
        if self.game.num_removed > num_removed:  # the last building may have been cancelled
            self.lose_without_structures()
        return result

    def _is_watched(self, player: int) -> bool:
        """Return whether somebody may be told of a player's commands: computers need not be."""
        is_computer = self.setups[player - 1].kind is PlayerKind.COMPUTER
        return self.options.playback or not is_computer

    def leave(self, player: int) -> None:
        """Have a player give up."""
        if not self.is_over:
            self._lose([player])

    def end(self, player: int) -> None:
        """End a mini-game."""
        if not self.is_over:
            self.results = dict.fromkeys(self.players, sc_pb.Tie)
            self.results[player] = sc_pb.Victory

    def chat(self, player: int, text: str, channel: int) -> None:
        """Say something."""
        self.chats.append(ChatMessage(self.loop, player, text, channel))

    def debug(self, player: int, command: debug_pb.DebugCommand) -> int:
        """Do what a debug request asks for."""
        return debug(self, player, command)

    def state_hash(self) -> bytes:
        """Return a digest of everything that decides how the game goes on."""
        digest = hashlib.blake2b(digest_size=16)
        world = self.world
        alive = self.game.alive()
        for array in (
            world.clock[[Clock.LOOP, Clock.NUM_ALIVE]],
            world.random,
            world.units[alive],
            world.orders[alive],
            world.production[alive],
            world.players,
            world.upgrades,
            world.effects,
            world.creep,
        ):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.digest()

    def lose_without_structures(self) -> None:
        """Have players lose who have no building left; nobody does in a mini-game."""
        if self.mini_game or self.is_over:
            return
        alive = self.game.alive()
        units = self.world.units
        owners = units["owner"][alive][_keeping_alive()[units["type"][alive]]]
        beaten = [player for player in self.players if not (owners == player).any()]
        if beaten:
            self._lose(beaten)

    def _lose(self, beaten: list[int]) -> None:
        for player in self.players:
            if len(beaten) == len(self.setups) and len(beaten) > 1:
                self.results[player] = sc_pb.Tie
            else:
                self.results[player] = sc_pb.Defeat if player in beaten else sc_pb.Victory

    def _run_to(self, stop: int) -> None:
        """Run loops up to ``stop``, seeing to what happens on the way."""
        while self.loop < stop and not self.is_over:
            run_loops(self.world.record, stop)
            num_removed = self.game.num_removed
            self.aftermath.see_to_events()
            if self.game.num_removed > num_removed:
                self.lose_without_structures()
            if self.loop >= LAST_LOOP and not self.is_over:
                self.results = dict.fromkeys(self.players, sc_pb.Tie)

    def _unit_command(self, player: int, command: raw_pb.ActionRawUnitCommand) -> int:
        game = self.game
        found = dict.fromkeys(game.slot(tag) for tag in command.unit_tags)
        slots = [slot for slot in found if slot and game.units["owner"][slot] == player]
        if not slots:
            return _NOT_MINE
        aim = Aim()
        if command.HasField("target_unit_tag"):
            target = game.slot(command.target_unit_tag)
            if not target or not self._knows(player, target):
                return _NO_TARGET
            aim = Aim(slot=target)
        elif command.HasField("target_world_space_pos"):
            place = command.target_world_space_pos
            if not (abs(place.x) < _FAR and abs(place.y) < _FAR):  # false for nan as well
                return _NO_TARGET
            aim = Aim(0, round(place.x * ONE), round(place.y * ONE), is_point=True)
        if self.mini_game and not self.mini_game.allows(player, slots, command.ability_id):
            return _NOT_SUPPORTED
        return self.order(player, command.ability_id, slots, aim, is_queued=command.queue_command)

    def _as_action(
        self, ability: int, slots: Sequence[int], aim: Aim, *, is_queued: bool
    ) -> raw_pb.ActionRaw:
        """Return an order as clients would send it."""
        action = raw_pb.ActionRaw()
        command = action.unit_command
        command.ability_id = ability
        tags = self.world.units["tag"]
        command.unit_tags.extend(int(tags[slot]) for slot in slots)
        if aim.slot:
            command.target_unit_tag = int(tags[aim.slot])
        elif aim.is_point:
            command.target_world_space_pos.x = aim.x / ONE
            command.target_world_space_pos.y = aim.y / ONE
        if is_queued:
            command.queue_command = True
        return action

    def _specific_ability(self, ability: int, slots: Sequence[int]) -> int:
        """Return the specific id of what the first able unit is told to do."""
        for slot in slots:
            found = commands_of(int(self.world.units["type"][slot])).get(ability)
            if found:
                return found.ability
        return ability

    def _knows(self, player: int, slot: int) -> bool:
        unit = self.world.units[slot]
        is_visible = bool(unit["visible_to"] & (1 << player))
        sees_all = self.options.disable_fog or self.world.players["sees_all"][player]
        is_remembered = self.world.snapshots["tag"][player, slot] == unit["tag"]
        return is_visible or unit["owner"] == 0 or bool(sees_all) or bool(is_remembered)

    def _drawn_race(self, race: int) -> int:
        return int(self.random.integers(1, _RANDOM)) if race == _RANDOM else race

    def _set_up(self) -> None:
        game = self.game
        for resource in self.game_map.resources:
            row = game.tables.row_of_id[resource.unit_id]
            slot = game.spawn(row, 0, round(resource.x * ONE), round(resource.y * ONE))
            field = "gas" if game.has_trait(slot, Trait.GEYSER) else "minerals"
            game.units[field][slot] = resource.contents
        for player, race in enumerate(self.races, start=1):
            self.world.players["race"][player] = race
            self.world.players["sees_all"][player] = int(self.options.disable_fog)
            setup = self.setups[player - 1]
            if setup.kind is PlayerKind.COMPUTER:
                advantages = level(setup.difficulty)
                self.world.players["income"][player] = advantages.income_percent
                self.world.players["sees_all"][player] |= int(advantages.sees_all)
        if self.mini_game:
            self.mini_game.start()
        else:
            for player, race in enumerate(self.races, start=1):
                self._place_player(player, race)
        game.count_supply()
        look_now(self.world.record)
        spread_power_now(self.world.record)

    def _place_player(self, player: int, race: int) -> None:
        """Give a player what everyone starts with."""
        game = self.game
        own = race_units()[race]
        start_x, start_y = self.game_map.starts[player - 1]
        x, y = round(start_x * ONE), round(start_y * ONE)
        self.world.players["minerals"][player] = START_MINERALS
        hall = game.spawn(own.town_hall, player, x, y)
        patches = self._patches_at(x, y)
        toward_x = sum(int(game.units["x"][patch]) for patch in patches) // len(patches) - x
        toward_y = sum(int(game.units["y"][patch]) for patch in patches) // len(patches) - y
        if race == _ZERG:
            lay_creep(self.world.record, x, y, HALL_RADIUS)
            game.units["born"][hall] = -10_000  # its creep has long spread
            game.units["larva_timer"][hall] = LARVA_LOOPS
            for _ in range(START_LARVAE):
                self.aftermath.new_larva(hall)
            game.spawn(own.supplier, player, x - toward_x // 2, y - toward_y // 2)
        workers = []
        for i in range(START_WORKERS):
            aside = (i - START_WORKERS // 2) * ONE * 2 // 5
            length = max(abs(toward_x), abs(toward_y), 1)
            place_x = x + toward_x * 4 * ONE // length * 7 // 8 - toward_y * aside // length
            place_y = y + toward_y * 4 * ONE // length * 7 // 8 + toward_x * aside // length
            place = game.open_place(own.worker, place_x, place_y)
            workers.append(game.spawn(own.worker, player, *place))
        for i, slot in enumerate(workers):
            give(game, player, _GATHER, [slot], Aim(patches[i % len(patches)]), is_queued=False)

    def _patches_at(self, x: int, y: int) -> list[int]:
        """Return the slots of the mineral fields around a town hall, the nearest first."""
        game = self.game
        patches = [slot for slot in game.resources() if game.has_trait(slot, Trait.MINERALS)]
        patches = [slot for slot in patches if game.distance(slot, x, y) < 12 * ONE]
        return sorted(patches, key=lambda slot: (game.distance(slot, x, y), slot))


@cache
def _keeping_alive() -> NDArray[np.bool_]:
    """Return which types keep their player in the game, by row: buildings, but those that pass."""
    kinds = unit_tables().types
    is_passing = (kinds["timed_life"] > 0) | (kinds["footprint"] == 1)  # turrets, tumours
    found: NDArray[np.bool_] = ((kinds["traits"] & Trait.STRUCTURE) > 0) & ~is_passing
    return found


_ZERG = 2
_SUCCESS, _NOT_SUPPORTED, _NOT_MINE, _NO_TARGET = 1, 2, 88, 83
_FAR = 1024.0
