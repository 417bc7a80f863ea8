"""Who plays whom, where, and how it ended: the parts of a replay before its events.

Names of races and maps are in the client's language, so the race is taken from the town hall
that a player starts with; users (who act) and players (who own units) are numbered apart.
"""

import json
from typing import Any, NamedTuple

from envs.interface import Race
from envs.replays.archive import ReplayParts, ReplayRefused
from envs.replays.events import (
    Event,
    Protocol,
    decode_details,
    decode_header,
    decode_init_data,
    latest_protocol,
    protocol_for,
)

SHORTEST_GAME_LOOPS = 672
"""Half a minute at Faster; what is shorter is no game."""

LONGEST_GAME_LOOPS = 1 << 20
"""Thirteen hours at Faster; a header that says more is damaged."""

_HUMAN = 2
_MAX_MMR = 1 << 15  # what is above is not a rating
_TOWN_HALLS = {"CommandCenter": Race.TERRAN, "Hatchery": Race.ZERG, "Nexus": Race.PROTOSS}
_RESULTS = {1: 1, 2: -1, 3: 0}


class Player(NamedTuple):
    """One of the two players."""

    player: int  # owner of units
    user: int  # who acts
    name: str
    result: int | None  # 1 won, -1 lost, 0 tie, None unknown
    mmr: int | None
    league: int | None  # 1 bronze to 7 grandmaster
    chose_random: bool  # then the opponent does not know the race; False where it is not told


class Lobby(NamedTuple):
    """What is known before the first event."""

    version: str
    base_build: int
    game_loops: int
    map_name: str
    map_size: tuple[int, int] | None  # world units
    random_seed: int | None  # the same in every copy of a game
    players: tuple[Player, Player]


def read_protocol(parts: ReplayParts) -> Protocol:
    """Return the protocol that reads this replay's events."""
    return protocol_for(_header(parts)["m_version"]["m_baseBuild"])


def read_lobby(parts: ReplayParts, setups: list[Event]) -> Lobby:
    """Read who plays.

    Args:
        parts: of the replay.
        setups: its ``SPlayerSetupEvent``s; 2.0.8 has none.

    Raises:
        ReplayRefused: it is not a finished game of two people, one against one.
    """
    header = _header(parts)
    protocol = read_protocol(parts)
    if parts.details is None:
        raise ReplayRefused("no details", "an anonymised replay: who plays is not in the file")
    details = decode_details(protocol, parts.details)
    seats = [seat for seat in details["m_playerList"] or [] if seat["m_observe"] == 0]
    if len(seats) != 2:
        raise ReplayRefused("not one against one", f"{len(seats)} players")
    if any(seat["m_control"] != _HUMAN for seat in seats):
        raise ReplayRefused("against the built-in AI", "only one side has commands")
    if header["m_elapsedGameLoops"] < SHORTEST_GAME_LOOPS:
        loops = header["m_elapsedGameLoops"]
        raise ReplayRefused("too short", f"{loops} game loops, at least {SHORTEST_GAME_LOOPS}")
    if header["m_elapsedGameLoops"] > LONGEST_GAME_LOOPS:
        raise ReplayRefused("damaged header", f"{header['m_elapsedGameLoops']} game loops")
    lobby = _lobby_state(protocol, parts)
    description = lobby["m_gameDescription"] if lobby else {}
    version = header["m_version"]
    return Lobby(
        version=".".join(str(version[f"m_{k}"]) for k in ("major", "minor", "revision", "build")),
        base_build=version["m_baseBuild"],
        game_loops=header["m_elapsedGameLoops"],
        map_name=_text(details["m_title"]),
        map_size=_map_size(description),
        random_seed=description.get("m_randomValue"),
        players=_players(seats, setups, lobby, _metadata(parts)),
    )


def starting_race(unit_name: str) -> Race | None:
    """Return the race of a player who starts with this unit; None for all but town halls."""
    return _TOWN_HALLS.get(unit_name)


def _header(parts: ReplayParts) -> dict[str, Any]:
    header = decode_header(latest_protocol(), parts.header)
    if "m_version" not in header or "m_elapsedGameLoops" not in header:
        raise ReplayRefused("damaged header", "it names no version")
    return header


def _players(
    seats: list[dict[str, Any]],
    setups: list[Event],
    lobby: dict[str, Any] | None,
    metadata: dict[str, Any],
) -> tuple[Player, Player]:
    """Match players, who own units, to users, who act."""
    players = []
    for number, seat in enumerate(seats, start=1):
        player, user = _numbers(number, seat, setups, lobby)
        initial = _initial_data(lobby, user)
        mmr = initial.get("m_scaledRating") or _metadata_mmr(metadata, player)
        players.append(
            Player(
                player=player,
                user=user,
                name=_text(seat["m_name"]),
                result=_RESULTS.get(seat["m_result"]),
                mmr=mmr if mmr and 0 < mmr < _MAX_MMR else None,
                league=initial.get("m_highestLeague") or None,
                chose_random=_chose_random(lobby, user),
            )
        )
    return players[0], players[1]


def _numbers(
    number: int, seat: dict[str, Any], setups: list[Event], lobby: dict[str, Any] | None
) -> tuple[int, int]:
    """Return a seat's player and user numbers.

    Players are numbered as they are seated. Which user acts for one is in the setup events, or,
    where these do not tell, in the lobby's slot of the same number.
    """
    slot = seat["m_workingSetSlotId"]
    for setup in setups:
        if setup.fields["m_playerId"] == number and setup.fields["m_userId"] is not None:
            return number, setup.fields["m_userId"]
    for candidate in lobby["m_lobbyState"]["m_slots"] if lobby else []:
        if candidate.get("m_workingSetSlotId") == slot and candidate["m_userId"] is not None:
            return number, candidate["m_userId"]
    raise ReplayRefused("unknown players", f"no user acts for player {number}")


def _chose_random(lobby: dict[str, Any] | None, user: int) -> bool:
    for slot in lobby["m_lobbyState"]["m_slots"] if lobby else []:
        if slot["m_userId"] == user:
            return slot["m_racePref"]["m_race"] is None
    return False


def _lobby_state(protocol: Protocol, parts: ReplayParts) -> dict[str, Any] | None:
    """Return the lobby; None where a substitute protocol cannot read it."""
    if parts.init_data is None:
        return None
    try:
        state: dict[str, Any] = decode_init_data(protocol, parts.init_data)["m_syncLobbyState"]
    except ReplayRefused:
        return None
    return state


def _initial_data(lobby: dict[str, Any] | None, user: int) -> dict[str, Any]:
    users = lobby["m_userInitialData"] if lobby else []
    return users[user] if user < len(users) else {}


def _metadata(parts: ReplayParts) -> dict[str, Any]:
    try:
        metadata = json.loads(parts.metadata or b"{}")
    except (ValueError, RecursionError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def _metadata_mmr(metadata: dict[str, Any], player: int) -> int | None:
    for entry in metadata.get("Players", []):
        if entry.get("PlayerID") == player and isinstance(entry.get("MMR"), int | float):
            return int(entry["MMR"])
    return None


def _map_size(description: dict[str, Any]) -> tuple[int, int] | None:
    width, height = description.get("m_mapSizeX", 0), description.get("m_mapSizeY", 0)
    return (width, height) if width and height else None


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")
