"""What evaluations and recorded games have in common: choices, and the settings that they note."""

import os
from enum import Enum
from pathlib import Path

from envs.choices import GamePlace
from envs.engine.install import is_engine
from envs.engine.rules_version import rules_hash
from envs.engine.terrain import map_files
from envs.game_client import GameClient
from envs.interface import MAX_DELAY, Race
from envs.launch import in_process, launch
from training.evaluation.contenders import Contender, Script
from training.evaluation.playing import Played
from training.evaluation.records import Game, GameRecord, Settings

DELAY_RULE = f"the player's delay, 1 to {MAX_DELAY} loops, until it sees and acts again"


class Level(Enum):
    """The built-in opponents, the weakest first; ``very_hard`` is Elite."""

    VERY_EASY = "very_easy"
    EASY = "easy"
    MEDIUM = "medium"
    MEDIUM_HARD = "medium_hard"
    HARD = "hard"
    HARDER = "harder"
    VERY_HARD = "very_hard"
    CHEAT_VISION = "cheat_vision"
    CHEAT_MONEY = "cheat_money"
    CHEAT_INSANE = "cheat_insane"


class PlayedRace(Enum):
    """Races that players have."""

    TERRAN = "terran"
    ZERG = "zerg"
    PROTOSS = "protoss"

    @property
    def race(self) -> Race:
        """The race as the interface has it."""
        return Race[self.name]


def require_maps(paths: tuple[str, ...]) -> None:
    """Refuse maps that the engine has not got for two players."""
    known = [file.path for file in map_files() if file.num_players > 1]
    for path in paths:
        if path not in known:
            raise ValueError(f"maps must be the engine's for two players, there is no {path!r}")


def settings_of_games(contender: Contender, place: GamePlace, *, max_loops: int) -> Settings:
    """Return what games of a contender have in common; a program is started to ask for its version.

    Raises:
        GameError: the program does not start.
    """
    game = _game_at(place)
    policy = None if isinstance(contender, Script) else contender
    return Settings(
        game=game,
        build=_version_at(place),
        rules=rules_hash() if game is Game.ENGINE else None,
        delay_rule=DELAY_RULE,
        max_loops=max_loops,
        player=contender.name,
        checkpoint=None if policy is None else policy.digest,
        temperature=None if policy is None else policy.choosing.temperature,
    )


def record_of(game: Played, settings: Settings) -> GameRecord:
    """Return what is written down of a game."""
    return GameRecord(
        planned=game.planned,
        settings=settings,
        result=game.result,
        detail=game.detail,
        loops=game.loops,
        seconds=game.seconds,
        actions_per_minute=game.actions_per_minute,
    )


def _game_at(place: GamePlace) -> Game:
    folder = os.environ.get("SC2PATH")
    if place is GamePlace.IN_PROCESS or folder is None or is_engine(Path(folder)):
        return Game.ENGINE
    return Game.STARCRAFT


def _version_at(place: GamePlace) -> str:
    with in_process() if place is GamePlace.IN_PROCESS else launch() as connection:
        return GameClient(connection, plane_size=1).version()
