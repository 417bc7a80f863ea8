"""pysc2's mini-games on the engine: ``latentstar bench mini-games``.

Each is played by someone who acts at random and by a short script, in this process through the
engine's API, with at most one command every eight loops. The scores are the yardstick for agents
that learn on the engine; those published are of StarCraft II, on maps that are not ours.
"""

import logging
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import numpy as np
from tyro.conf import EnumChoicesFromValues

from envs.engine.rules_version import rules_hash
from training.bench.mini_game_client import MiniGame
from training.bench.mini_game_economies import MineEverything, TrainMarines
from training.bench.mini_game_players import MiniGamePlayer, RandomPlayer
from training.bench.mini_game_scripts import (
    BANELING,
    ROACH,
    SearchForZerglings,
    ShootAndStepBack,
    TakeNearestShards,
    WalkToBeacon,
)
from training.bench.mini_game_table import mini_game_table, plot_mini_games, summary
from training.engine_games import compile_engine
from training.progress import progress_bar
from training.whole_files import make_folder, require_place, whole_file, write_json

RESULT_FILE, TABLE_FILE, PLOT_FILE = "mini-games.json", "mini-games.md", "mini-games.png"

logger = logging.getLogger(__name__)

SCRIPTS: dict[str, Callable[[], MiniGamePlayer]] = {
    "MoveToBeacon": WalkToBeacon,
    "CollectMineralShards": TakeNearestShards,
    "FindAndDefeatZerglings": SearchForZerglings,
    "DefeatRoaches": lambda: ShootAndStepBack(ROACH, meets_at=100.0, too_near=5.0, share=0.9),
    "DefeatZerglingsAndBanelings": lambda: ShootAndStepBack(
        BANELING, meets_at=7.0, too_near=5.0, share=0.5
    ),
    "CollectMineralsAndGas": MineEverything,
    "BuildMarines": TrainMarines,
}
"""What plays each mini-game, in the order of the paper."""


class Who(Enum):
    """Who plays."""

    RANDOM = "random"
    SCRIPTED = "scripted"


@dataclass(frozen=True, kw_only=True)
class MiniGamesConfig:
    """Play pysc2's mini-games on the engine: ``latentstar bench mini-games``."""

    out: Path = Path("runs/mini-games")  # folder for table, plot and numbers
    games: tuple[str, ...] = tuple(SCRIPTS)  # which of the seven
    players: tuple[Annotated[Who, EnumChoicesFromValues], ...] = tuple(Who)  # who plays
    episodes: int = 20  # of each game by each player
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        unknown = [name for name in self.games if name not in SCRIPTS]
        if unknown or not self.games:
            got = ", ".join(unknown) or "none"
            raise ValueError(f"games must be among {', '.join(SCRIPTS)}, got {got}")
        if not self.players:
            raise ValueError("players must be at least one, got none")
        players = [who.value for who in self.players]
        for what, names in (("games", list(self.games)), ("players", players)):
            twice = [name for name, number in Counter(names).items() if number > 1]
            if twice:
                raise ValueError(f"{what} must be different ones, got {', '.join(twice)} twice")
        if self.episodes < 1:
            raise ValueError(f"episodes must be at least 1, got {self.episodes}")


def run(config: MiniGamesConfig) -> None:
    """Play all episodes, and write table, plot and numbers.

    Raises:
        ValueError: the folder cannot be made or written to.
    """
    make_folder(config.out)
    for name in (RESULT_FILE, TABLE_FILE, PLOT_FILE):
        require_place(config.out / name)
    compile_engine()
    scores: dict[str, dict[str, list[int]]] = {
        name: {who.value: [] for who in config.players} for name in config.games
    }
    num_done, num_all = 0, len(config.games) * len(config.players) * config.episodes
    with progress_bar("playing mini-games") as bar:
        for name in config.games:
            for who in config.players:
                for episode in range(config.episodes):
                    bar.show(num_done / num_all, f"{name}, {who.value}")
                    scores[name][who.value].append(
                        play(name, who, seed=config.seed, episode=episode)
                    )
                    num_done += 1
        bar.show(1.0, f"{num_all} episodes")
    result = summary(scores, version=rules_hash(), seed=config.seed)
    write_json(config.out / RESULT_FILE, result)
    with whole_file(config.out / TABLE_FILE) as unfinished:
        unfinished.write_text(mini_game_table(result), encoding="utf-8")
    plot_mini_games(result, config.out / PLOT_FILE)
    logger.info("%s\nsee %s", mini_game_table(result), config.out)


def play(name: str, who: Who, *, seed: int, episode: int) -> int:
    """Play an episode; return its score. Both players play the same episodes."""
    game_seed = zlib.crc32(f"{seed} {name} {episode}".encode())
    with MiniGame(name, seed=game_seed) as game:
        player: MiniGamePlayer
        if who is Who.RANDOM:
            player = RandomPlayer(game.abilities, np.random.default_rng(game_seed))
        else:
            player = SCRIPTS[name]()
        while not game.is_over:
            game.step(player.act(game.view()))
        return game.view().score
