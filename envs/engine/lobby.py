"""How a game comes about: from what one client asks to create and what each asks to join with."""

import os
import zlib
from dataclasses import dataclass

from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.errors import GameRefused, MapError
from envs.engine.game_folder import GameFolder
from envs.engine.layout import MAX_PLAYERS
from envs.engine.replay_file import Contestant, Setting
from envs.engine.shared_match import Pace
from envs.engine.terrain import GameMap, read_map

MAX_LAYER_PIXELS = 512
"""Of a side of a feature layer."""

MAX_NAME_LETTERS = 64
MAX_PATH_LETTERS = 260

_CREATE, _JOIN = sc_pb.ResponseCreateGame, sc_pb.ResponseJoinGame
_RANDOM_RACE, _NUM_RACES = 4, 3


@dataclass(frozen=True, kw_only=True)
class PlannedGame:
    """A game that was created and waits for its players."""

    game_map: GameMap
    map_data: bytes
    map_path: str
    seed: int
    disable_fog: bool
    pace: Pace
    players: tuple[sc_pb.PlayerSetup, ...]  # participants and computers, player 1 first
    is_observed: bool  # an observer joins, and no participant

    def participants(self) -> list[int]:
        """Return the numbers of the players who join."""
        return [
            player
            for player, setup in enumerate(self.players, start=1)
            if setup.type == sc_pb.Participant
        ]


@dataclass(frozen=True, kw_only=True)
class Participation:
    """How a client joins."""

    race: int  # 0 for an observer
    observed_player: int
    name: str
    options: sc_pb.InterfaceOptions


def planned_game(request: sc_pb.RequestCreateGame, folder: GameFolder) -> PlannedGame:
    """Read what a client asks to create.

    Raises:
        GameRefused: it cannot be, and why.
    """
    map_path, map_data = _map_file(request, folder)
    try:
        game_map = read_map(map_data)
    except MapError as error:
        raise GameRefused(
            _CREATE.InvalidMapData, f"{map_path or 'the map that was sent'}: {error}"
        ) from error
    players = [setup for setup in request.player_setup if setup.type != sc_pb.Observer]
    num_observers = len(request.player_setup) - len(players)
    _check_players(players, num_observers, game_map)
    seed = request.random_seed if request.HasField("random_seed") else _drawn_seed()
    return PlannedGame(
        game_map=game_map,
        map_data=map_data,
        map_path=map_path,
        seed=seed,
        disable_fog=request.disable_fog,
        pace=Pace.REAL_TIME if request.realtime else Pace.STEPS,
        players=tuple(players),
        is_observed=num_observers > 0,
    )


def participation(request: sc_pb.RequestJoinGame, planned: PlannedGame) -> Participation:
    """Read how a client asks to join.

    Raises:
        GameRefused: it cannot, and why.
    """
    which = request.WhichOneof("participation")
    if which is None:
        raise GameRefused(_JOIN.MissingParticipation, "neither a race nor whom to observe is given")
    if not request.HasField("options"):
        raise GameRefused(_JOIN.MissingOptions, "options are missing")
    if (which == "observed_player_id") != planned.is_observed:
        raise GameRefused(
            _JOIN.MissingParticipation,
            "the game was created for an observer"
            if planned.is_observed
            else "the game was created without an observer, so join with a race",
        )
    if which == "race" and not 1 <= request.race <= _RANDOM_RACE:
        raise GameRefused(_JOIN.OtherError, f"there is no race {request.race}")
    if not 0 <= request.observed_player_id <= len(planned.players):
        raise GameRefused(
            _JOIN.InvalidObservedPlayerId, f"there is no player {request.observed_player_id}"
        )
    problem = problem_with_options(request.options)
    if problem is not None:
        raise GameRefused(_JOIN.FeatureUnsupported, problem)
    return Participation(
        race=request.race,
        observed_player=request.observed_player_id,
        name=request.player_name[:MAX_NAME_LETTERS],
        options=request.options,
    )


def problem_with_options(options: sc_pb.InterfaceOptions) -> str | None:
    """Return why an interface cannot be had, or nothing where it can."""
    if options.HasField("render"):
        return "rendered pictures are not supported: ask for feature layers or raw data"
    if options.raw_crop_to_playable_area:
        return "raw_crop_to_playable_area is not supported: positions are those of the whole map"
    layers = options.feature_layer
    for size in (layers.resolution, layers.minimap_resolution):
        if not 0 <= size.x <= MAX_LAYER_PIXELS or not 0 <= size.y <= MAX_LAYER_PIXELS:
            return f"feature layers are at most {MAX_LAYER_PIXELS} pixels wide and high"
    return None


def setting(planned: PlannedGame, joined: dict[int, Participation]) -> Setting:
    """Return what the game is made from, once all have joined.

    Args:
        planned: the game.
        joined: the participants by their number.
    """
    contestants = []
    for player, setup in enumerate(planned.players, start=1):
        is_computer = setup.type == sc_pb.Computer
        requested = setup.race if is_computer else joined[player].race
        contestants.append(
            Contestant(
                is_computer=is_computer,
                race_requested=requested,
                race=_drawn_race(planned.seed, player) if requested == _RANDOM_RACE else requested,
                difficulty=setup.difficulty,
                ai_build=setup.ai_build,
                name=setup.player_name[:MAX_NAME_LETTERS] if is_computer else joined[player].name,
            )
        )
    return Setting(
        map_data=planned.map_data,
        map_path=planned.map_path,
        map_name=planned.game_map.name,
        seed=planned.seed,
        disable_fog=planned.disable_fog,
        contestants=tuple(contestants),
    )


def following_seed(seed: int) -> int:
    """Return the seed of the game that a restart makes from another's: it differs, repeatably."""
    return zlib.crc32(f"after {seed}".encode())


def _map_file(request: sc_pb.RequestCreateGame, folder: GameFolder) -> tuple[str, bytes]:
    which = request.WhichOneof("Map")
    if which == "battlenet_map_name":
        found = folder.map_named(request.battlenet_map_name)
        if found is None:
            name = request.battlenet_map_name[:MAX_PATH_LETTERS]
            raise GameRefused(_CREATE.InvalidMapName, f"the engine has no map named {name!r}")
        return found
    path = request.local_map.map_path[:MAX_PATH_LETTERS]
    if which is None or not (path or request.local_map.map_data):
        raise GameRefused(_CREATE.MissingMap, "no map is given")
    data = request.local_map.map_data or folder.map_at(path)
    if data is None:
        raise GameRefused(_CREATE.InvalidMapPath, f"there is no map {path!r}")
    return path, data


def _check_players(players: list[sc_pb.PlayerSetup], num_observers: int, game_map: GameMap) -> None:
    num_participants = sum(setup.type == sc_pb.Participant for setup in players)
    most = min(game_map.num_players, MAX_PLAYERS)
    wrong = None
    if not players:
        raise GameRefused(_CREATE.MissingPlayerSetup, "no players are given")
    if len(players) > most:
        wrong = f"{game_map.name} is for at most {most}, and {len(players)} players are given"
    elif num_observers > 1 or (num_observers and num_participants):
        wrong = "an observer can join a game between computers only, and alone"
    elif not num_observers and not num_participants:
        wrong = "nobody would join: a participant or an observer is needed"
    for setup in players:
        if setup.type == sc_pb.Computer and not 1 <= setup.race <= _RANDOM_RACE:
            wrong = f"a computer needs a race, and there is no race {setup.race}"
    if wrong is not None:
        raise GameRefused(_CREATE.InvalidPlayerSetup, wrong)


def _drawn_seed() -> int:
    return int.from_bytes(os.urandom(4), "little")


def _drawn_race(seed: int, player: int) -> int:
    return zlib.crc32(f"race of player {player} from {seed}".encode()) % _NUM_RACES + 1
