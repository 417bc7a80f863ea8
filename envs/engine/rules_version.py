"""Which rules a game was played by: a digest of the sources and tables that decide how it goes."""

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

TABLES = (
    "units.csv",
    "unit_modes.csv",
    "unit_details.csv",
    "unit_commands.csv",
    "weapon_details.csv",
    "upgrades.csv",
    "upgrade_effects.csv",
    "morphs.csv",
    "spells.csv",
    "abilities.csv",
    "api_aliases.csv",
    "raw_functions.csv",
    "engine_maps.csv",
    "bot_levels.csv",
    "bot_builds.csv",
    "bot_armies.csv",
    "bot_sites.csv",
    "races.csv",
)


@cache
def rules_hash() -> str:
    """Return the digest; results and replays of unlike digests are not of the same game."""
    digest = hashlib.sha256()
    package = resources.files("envs")
    for table in TABLES:
        digest.update((package / "data" / table).read_bytes())
    for source in _sources(package / "engine"):
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _sources(folder: Traversable) -> list[Traversable]:
    """Return the files that hold rules, bots and maps: all but those that only speak of them."""
    found: list[Traversable] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _sources(entry)
        elif entry.name.endswith(".py") and entry.name not in _NOT_RULES:
            found.append(entry)
    return found


_NOT_RULES = (
    "census.py",
    "data_response.py",
    "encode.py",
    "errors.py",
    "feature_layers.py",
    "game_folder.py",
    "game_info_response.py",
    "install.py",
    "link.py",
    "lobby.py",
    "mpq.py",
    "observe.py",
    "playback.py",
    "queries.py",
    "recording.py",
    "replay_file.py",
    "replay_requests.py",
    "rules_version.py",
    "score.py",
    "seat.py",
    "server.py",
    "session.py",
    "shared_match.py",
    "varints.py",
    "versions.py",
    "wire_format.py",
)
