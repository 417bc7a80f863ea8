"""Which maps a game has, and what to say about one that it has not."""

from difflib import get_close_matches
from pathlib import PurePosixPath

from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.connection import Askable
from envs.errors import GameMissingError

_DEADLINE_SECONDS = 60.0
_MAX_NAMED = 5

_REQUEST = sc_pb.Request(available_maps=sc_pb.RequestAvailableMaps()).SerializeToString()


def map_paths(connection: Askable) -> list[str]:
    """Return the paths that a game knows its map files by.

    Raises:
        GameError: the game does not answer.
    """
    answer = connection.ask(_REQUEST, deadline_seconds=_DEADLINE_SECONDS)
    return list(sc_pb.Response.FromString(answer).available_maps.local_map_paths)


def found_map(connection: Askable, name: str) -> str:
    """Return the path that a game knows a map by.

    Args:
        connection: to the game.
        name: the map's path, or the name of its file without folder and ending, in any case.

    Raises:
        GameMissingError: it has no such map, or several.
        GameError: it does not answer.
    """
    paths = map_paths(connection)
    if name in paths:
        return name
    found = [path for path in paths if PurePosixPath(path).stem.lower() == name.lower()]
    if not found:
        raise missing_map(connection, name)
    if len(found) > 1:
        raise GameMissingError(f"{name} must be one map, and the game has {', '.join(found)}")
    return found[0]


def missing_map(connection: Askable, path: str) -> GameMissingError:
    """Return the error for a map that a game says it has not, with those that are named alike.

    Raises:
        GameError: the game does not answer.
    """
    paths = map_paths(connection)
    by_name = {PurePosixPath(known).stem.lower(): known for known in paths}
    alike = get_close_matches(PurePosixPath(path).stem.lower(), by_name, n=_MAX_NAMED, cutoff=0.4)
    if not paths:
        found = "the game has no maps at all: unpack Blizzard's map packs into its folder Maps"
    elif alike:
        found = f"the game has {', '.join(by_name[name] for name in alike)}"
    else:
        found = f"the game has {len(paths)} others, such as {', '.join(paths[:_MAX_NAMED])}"
    return GameMissingError(f"there is no map {path}: {found}")
