"""Writes small replays: a game of two players, scripted event by event.

A ``Script`` collects what happens, in any order; ``content`` sorts it by loop (what was scripted
first goes first within one) and writes a real ``.SC2Replay`` file, which s2protocol reads too.
Places are in world units; user ids (who acts) are not player ids (who owns).
"""

import csv
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import sc2reader

from envs.replays.archive import ReplayParts, parts_of
from envs.replays.events import protocol_module
from tests.event_encoder import game_stream, message_stream, packed, tracker_stream, versioned
from tests.mpq_writer import Compression, StoredPart, mpq_archive, stored_part

BUILD = 80949  # 5.0.3; one that s2protocol knows, with an ability table of its own
NEWEST_PROTOCOL = 98310
USERS = (1, 4)  # of players 1 and 2; the others watch
OLD_BUILD, OLD_PROTOCOL = 24944, 26490  # 2.0.8, and the protocol that reads it

QUEUED, AUTOCAST, RIGHT_CLICK = 0x2, 0x40, 0x8
NO_MASK: dict[str, Any] = {"None": None}


class Script:
    """A game being written; player 1 is Terran, player 2 Zerg, unless their births are scripted."""

    def __init__(
        self,
        *,
        base_build: int = BUILD,
        protocol: int | None = None,
        game_loops: int = 2000,
        random_seed: int = 1234,
        results: tuple[int, int] = (1, 2),
        users: tuple[int, int] = USERS,
    ) -> None:
        self.base_build = base_build
        self.protocol = written_protocol(base_build if protocol is None else protocol)
        self.game_loops = game_loops
        self.random_seed = random_seed
        self.users = users
        self.seats = [_seat(i, result) for i, result in enumerate(results)]
        self.mmr: tuple[int | None, int | None] = (3500, None)
        self.leagues = (5, 0)
        self.chosen_races: tuple[int | None, int | None] = (0, 1)  # Terran, Zerg; None is random
        self.map_size = (176, 160)
        self.metadata: dict[str, Any] | None = None
        # Whether the tracker says who acts for whom; that of 2.0.8 does not.
        tracker_events = self.protocol.tracker_event_types.values()
        self.setups = any(name.endswith("SPlayerSetupEvent") for _, name in tracker_events)
        self.game: list[tuple[int, int, str, dict[str, Any]]] = []
        self.tracker: list[tuple[int, str, dict[str, Any]]] = []
        self.messages: list[tuple[int, int, str, dict[str, Any]]] = []
        self.minerals: list[int] = []  # tags, of ``opening``
        self.own: list[int] = []
        self.enemy: list[int] = []
        self._num_units = 0

    # What the tracker tells.

    def born(self, loop: int, player: int, name: str, x: int, y: int, **more: Any) -> int:
        """A unit appears, finished; returns its tag. Coordinates are the tracker's."""
        return self._appears("SUnitBornEvent", loop, player, name, x, y, more)

    def begun(self, loop: int, player: int, name: str, x: int, y: int) -> int:
        """A building is placed; returns its tag."""
        return self._appears("SUnitInitEvent", loop, player, name, x, y, {})

    def done(self, loop: int, tag: int) -> None:
        """A building is finished."""
        self._about("SUnitDoneEvent", loop, tag)

    def becomes(self, loop: int, tag: int, name: str) -> None:
        """A unit changes its type."""
        self._about("SUnitTypeChangeEvent", loop, tag, m_unitTypeName=name.encode())

    def given_to(self, loop: int, tag: int, player: int) -> None:
        """A unit changes its owner."""
        owner = {"m_controlPlayerId": player, "m_upkeepPlayerId": player}
        self._about("SUnitOwnerChangeEvent", loop, tag, **owner)

    def dies(self, loop: int, tag: int) -> None:
        """A unit dies."""
        self._about("SUnitDiedEvent", loop, tag, m_x=0, m_y=0)

    def positions(self, loop: int, places: dict[int, tuple[int, int]]) -> None:
        """The tracker reports places, by tag, in its coordinates."""
        items, index = [], first = [], min(tag >> 18 for tag in places)
        for tag in sorted(places):
            items += [(tag >> 18) - index, *places[tag]]
            index = tag >> 18
        fields = {"m_firstUnitIndex": first, "m_items": items}
        self.tracker.append((loop, "SUnitPositionsEvent", fields))

    def stats(self, loop: int, player: int, **values: int) -> None:
        """The tracker takes a player's statistics: ``MineralsCurrent=50``."""
        stats = {f"m_scoreValue{name}": value for name, value in values.items()}
        everything = {name: stats.get(name, 0) for name in _stats_names(self.protocol)}
        assert stats.keys() <= everything.keys()
        fields = {"m_playerId": player, "m_stats": everything}
        self.tracker.append((loop, "SPlayerStatsEvent", fields))

    def upgrade(self, loop: int, player: int, name: str) -> None:
        """A player's upgrade is finished."""
        fields = {"m_playerId": player, "m_upgradeTypeName": name.encode(), "m_count": 1}
        self.tracker.append((loop, "SUpgradeEvent", fields))

    # What users do.

    def delta(
        self, loop: int, user: int, add: Sequence[int] = (), *, group: int = 10, mask: Any = NO_MASK
    ) -> None:
        """A selection or control group changes: masked units leave, others join."""
        delta = {"m_removeMask": mask, "m_addUnitTags": list(add)}
        fields = {"m_controlGroupId": group, "m_delta": delta}
        self.game.append((loop, user, "SSelectionDeltaEvent", fields))

    def select(self, loop: int, user: int, tags: Sequence[int]) -> None:
        """A user selects these and nothing else."""
        self.delta(loop, user, tags, mask={"ZeroIndices": []})

    def control_group(
        self, loop: int, user: int, index: int, update: int, mask: Any = NO_MASK
    ) -> None:
        """A user sets, extends, recalls or clears a control group."""
        fields = {
            "m_controlGroupIndex": index,
            "m_controlGroupUpdate": update,
            "m_mask": mask,
        }
        self.game.append((loop, user, "SControlGroupUpdateEvent", fields))

    def command(
        self,
        loop: int,
        user: int,
        ability: tuple[str, int] | tuple[int, int] | None,
        *,
        at: tuple[float, float] | None = None,
        unit: int | None = None,
        flags: int = 0x100,
    ) -> None:
        """A user gives a command.

        Args:
            loop: when.
            user: who.
            ability: catalogue name or link, and index; None is a right click.
            at: the place it is aimed at, or where the unit stands that it is aimed at.
            unit: tag of the unit it is aimed at.
            flags: as the event has them.
        """
        used = None
        if ability is not None:
            link = ability[0] if isinstance(ability[0], int) else self.link(ability[0])
            used = {"m_abilLink": link, "m_abilCmdIndex": ability[1]}
        data = {"None": None}
        if unit is not None:
            data = {"TargetUnit": _target_unit(unit, at)}
        elif at is not None:
            data = {"TargetPoint": _point(at)}
        fields = {"m_cmdFlags": flags, "m_abil": used, "m_data": data}
        self.game.append((loop, user, "SCmdEvent", fields))

    def repeat(self, loop: int, user: int, state: int = 1) -> None:
        """A user presses the same again."""
        fields = {"m_state": state, "m_sequence": 1}
        self.game.append((loop, user, "SCommandManagerStateEvent", fields))

    def retarget(
        self, loop: int, user: int, at: tuple[float, float], unit: int | None = None
    ) -> None:
        """A user aims the command that is about to be repeated elsewhere."""
        if unit is None:
            event = "SCmdUpdateTargetPointEvent", {"m_target": _point(at)}
        else:
            event = "SCmdUpdateTargetUnitEvent", {"m_target": _target_unit(unit, at)}
        self.game.append((loop, user, *event))

    def chat(self, loop: int, user: int, text: str) -> None:
        """A user writes a line."""
        fields = {"m_recipient": 0, "m_string": text.encode()}
        self.messages.append((loop, user, "SChatMessage", fields))

    # The file.

    def link(self, name: str) -> int:
        """Return an ability's place in the catalogue of a build that has a table of its own."""
        return _links(self.base_build)[name]

    def streams(self) -> dict[str, bytes]:
        """Return the replay's parts but for its header."""
        types, protocol = self.protocol.typeinfos, self.protocol
        setups = self._setups() if self.setups else []
        in_order = {"key": lambda event: event[0]}
        parts = {
            "replay.details": versioned(types, protocol.game_details_typeid, self._details()),
            "replay.initData": packed(types, protocol.replay_initdata_typeid, self._init_data()),
            "replay.game.events": game_stream(protocol, sorted(self.game, **in_order)),
            "replay.tracker.events": tracker_stream(
                protocol, sorted(setups + self.tracker, **in_order)
            ),
            "replay.message.events": message_stream(protocol, sorted(self.messages, **in_order)),
        }
        if self.metadata is not None:
            parts["replay.gamemetadata.json"] = json.dumps(self.metadata).encode()
        return {name: content for name, content in parts.items() if content}

    def header(self) -> bytes:
        """Return the replay's header; the newest protocol reads those of all builds."""
        newest = written_protocol(NEWEST_PROTOCOL)
        version = dict(zip(("m_major", "m_minor", "m_revision"), (5, 0, 3), strict=True))
        builds = {"m_build": self.base_build, "m_baseBuild": self.base_build, "m_flags": 1}
        header = {
            "m_signature": b"StarCraft II replay\x1b11",
            "m_version": version | builds,
            "m_type": 2,
            "m_elapsedGameLoops": self.game_loops,
            "m_useScaledTime": True,
        }
        return versioned(newest.typeinfos, newest.replay_header_typeid, header)

    def stored(self, compression: Compression = Compression.BZ2) -> list[StoredPart]:
        """Return the archive's files."""
        return [stored_part(name, part, compression) for name, part in self.streams().items()]

    def content(self) -> bytes:
        """Return the file."""
        return mpq_archive(self.header(), self.stored())

    def parts(self) -> ReplayParts:
        """Return the file's parts, by way of its bytes."""
        return parts_of(self.content())

    def write(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.content())
        return path

    def _appears(
        self, event: str, loop: int, player: int, name: str, x: int, y: int, more: dict[str, Any]
    ) -> int:
        index, self._num_units = self._num_units, self._num_units + 1
        owner = {"m_controlPlayerId": player, "m_upkeepPlayerId": player}
        fields = {"m_unitTypeName": name.encode(), **owner, "m_x": x, "m_y": y, **more}
        tag = (fields.pop("index", index) << 18) + fields.pop("recycle", 1)
        self._about(event, loop, tag, **fields)
        return tag

    def _about(self, event: str, loop: int, tag: int, **fields: Any) -> None:
        about = {"m_unitTagIndex": tag >> 18, "m_unitTagRecycle": tag & 0x3FFFF}
        self.tracker.append((loop, event, about | fields))

    def _setups(self) -> list[tuple[int, str, dict[str, Any]]]:
        return [
            (0, "SPlayerSetupEvent", {"m_playerId": i + 1, "m_type": 1, "m_userId": user})
            for i, user in enumerate(self.users)
        ]

    def _details(self) -> dict[str, Any]:
        return {
            "m_playerList": self.seats,
            "m_title": "Tiny Île".encode(),
            "m_timeUTC": 132_164_496_327_251_860,
        }

    def _init_data(self) -> dict[str, Any]:
        initial: list[dict[str, Any]] = [{} for _ in range(max(self.users) + 1)]
        slots = []
        for i, user in enumerate(self.users):
            initial[user] = {
                "m_scaledRating": self.mmr[i],
                "m_highestLeague": self.leagues[i],
            }
            slots.append(
                {
                    "m_userId": user,
                    "m_workingSetSlotId": 2 + i,
                    "m_control": 2,
                    "m_racePref": {"m_race": self.chosen_races[i]},
                }
            )
        return {
            "m_syncLobbyState": {
                "m_userInitialData": initial,
                "m_gameDescription": {
                    "m_randomValue": self.random_seed,
                    "m_mapSizeX": self.map_size[0],
                    "m_mapSizeY": self.map_size[1],
                },
                # An observer sits first, so a slot's place is not its number.
                "m_lobbyState": {"m_slots": [{"m_userId": 0}, *slots]},
            }
        }


def opening(**settings: Any) -> Script:
    """Return a game's first loop: town halls, workers and minerals, in opposite corners.

    Tags are ``script.own`` for player 1 (a command centre and two SCVs), ``script.enemy`` for
    player 2 (a hatchery, a larva and a drone) and ``script.minerals``.
    """
    script = Script(**settings)
    script.minerals = [script.born(0, 0, "MineralField", 30 + i, 37) for i in range(2)]
    script.own = [
        script.born(0, 1, "CommandCenter", 30, 30),
        script.born(0, 1, "SCV", 34, 30),
        script.born(0, 1, "SCV", 34, 31),
    ]
    script.enemy = [
        script.born(0, 2, "Hatchery", 140, 130),
        script.born(0, 2, "Larva", 140, 127),
        script.born(0, 2, "Drone", 136, 130),
    ]
    return script


def small_game(**settings: Any) -> Script:
    """Return a whole game with something of everything, in which both sides act."""
    script = opening(**settings)
    (one, two), (hall, first, second) = script.users, script.own
    hatchery, larva, drone = script.enemy
    script.select(0, one, [hall])
    script.command(0, one, ("CommandCenterTrain", 0))
    script.select(4, two, [larva])
    script.command(6, two, ("LarvaTrain", 0))
    script.becomes(6, larva, "Egg")
    script.select(40, one, [first, second])
    script.command(40, one, None, unit=script.minerals[0], at=(30.0, 37.5), flags=0x108)
    script.control_group(41, one, 1, 0)
    script.stats(160, 1, MineralsCurrent=75, FoodUsed=13 * 4096, FoodMade=15 * 4096)
    script.stats(160, 2, MineralsCurrent=25)
    third = script.born(272, 1, "SCV", 33, 28)
    script.select(300, one, [third])
    script.command(300, one, ("TerranBuild", 1), at=(40.0, 40.0))
    depot = script.begun(330, 1, "SupplyDepot", 40, 40)
    script.control_group(350, one, 1, 2)
    script.command(351, one, None, at=(60.0, 60.0), flags=0x108)
    script.retarget(355, one, (64.0, 60.0))
    script.repeat(355, one)
    script.born(278, 2, "Drone", 140, 127)
    script.dies(278, larva)
    script.select(500, two, [drone])
    script.command(500, two, None, at=(62.0, 62.0), flags=0x108)
    script.positions(720, {second: (63, 60), drone: (100, 100)})
    script.done(810, depot)
    script.upgrade(850, 1, "TerranInfantryWeaponsLevel1")
    script.chat(900, one, "gl hf")
    script.select(901, one, [first, depot])
    script.command(901, one, ("attack", 0), unit=drone, at=(63.0, 62.0))
    script.dies(950, drone)
    script.command(1200, one, ("stop", 0))
    script.select(1300, two, [hatchery])
    script.command(1300, two, None, at=(120.0, 120.0), flags=0x108)
    return script


@cache
def written_protocol(base_build: int) -> ModuleType:
    """Return s2protocol's module of a build, whose types and decoder the tests share."""
    return protocol_module(base_build)


@cache
def _links(base_build: int) -> dict[str, int]:
    folder = Path(sc2reader.__file__).parent / "data" / "LotV"
    with (folder / f"{base_build}_abilities.csv").open(encoding="utf-8") as file:
        return {row[1]: int(row[0]) for row in csv.reader(file) if row}


def _stats_names(protocol: ModuleType) -> list[str]:
    events = protocol.tracker_event_types.values()
    kind = next(kind for kind, name in events if name.endswith("SPlayerStatsEvent"))
    members = {name: kind for name, kind, _ in protocol.typeinfos[kind][1][0]}
    return [name for name, _, _ in protocol.typeinfos[members["m_stats"]][1][0]]


def _seat(number: int, result: int) -> dict[str, Any]:
    return {
        "m_name": ("Anna", "Боря")[number].encode(),
        "m_race": "Терраны".encode(),  # in the client's language
        "m_control": 2,
        "m_observe": 0,
        "m_result": result,
        "m_workingSetSlotId": 2 + number,
        "m_teamId": number,
        "m_toon": {"m_region": 2, "m_programId": b"\0\0S2", "m_realm": 1, "m_id": number + 7},
    }


def _point(at: tuple[float, float]) -> dict[str, int]:
    return {"x": round(at[0] * 4096), "y": round(at[1] * 4096), "z": 0}


def _target_unit(tag: int, at: tuple[float, float] | None) -> dict[str, Any]:
    return {"m_tag": tag, "m_snapshotPoint": _point(at or (0, 0))}


def replay_name(script: Script) -> str:
    """Return the name that a script's shard will have."""
    return hashlib.sha256(script.content()).hexdigest()[:16]
