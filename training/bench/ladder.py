"""The engine's levels against each other: ``latentstar bench ladder``.

Each level plays the one below it, all races against all, from either seat, in parallel on Ray.
The ladder has a version, the hash of rules, bots and maps: win rates of another version say
nothing of this one. A game that breaks is a crash, neither won nor lost; one that is not over in
time is undecided. Games that were played stay played: called again, the ladder goes on.
"""

import logging
import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from tyro.conf import EnumChoicesFromValues

from envs.engine.rules_version import rules_hash
from envs.interface import LOOPS_PER_SECOND
from training.bench.ladder_table import ladder_table, plot_ladder, summary
from training.cluster import ray_for
from training.engine_games import (
    PROTOSS,
    SMALL_MAP,
    TERRAN,
    ZERG,
    ComputerGame,
    ComputerPlayer,
    compile_engine,
)
from training.engine_maps import two_player_map
from training.progress import progress_bar
from training.run_folder import locked_run
from training.whole_files import (
    append_json_line,
    cut_torn_line,
    read_json_lines,
    whole_file,
    write_json,
)

GAMES_FILE, TABLE_FILE = "games.jsonl", "ladder.md"
RESULT_FILE, PLOT_FILE, REPLAY_FOLDER = "ladder.json", "ladder.png", "replays"

_RACES = {TERRAN: "Terran", ZERG: "Zerg", PROTOSS: "Protoss"}
_VICTORY, _DEFEAT = 1, 2

logger = logging.getLogger(__name__)


class Level(Enum):
    """The built-in opponents that the engine has, the weakest first."""

    VERY_EASY = "very-easy"
    MEDIUM = "medium"
    VERY_HARD = "very-hard"

    @property
    def difficulty(self) -> int:
        """The level as the API numbers it."""
        return {"very-easy": 1, "medium": 3, "very-hard": 7}[self.value]


@dataclass(frozen=True, kw_only=True)
class LadderConfig:
    """Play the engine's levels against each other: ``latentstar bench ladder``."""

    out: Path = Path("runs/ladder")  # folder for games, table, plot and numbers
    levels: tuple[Annotated[Level, EnumChoicesFromValues], ...] = tuple(Level)  # each v the next
    games: int = 100  # of each two levels
    maps: tuple[str, ...] = (SMALL_MAP,)  # paths or names of the engine's maps, in turn
    minutes: float = 30.0  # of game time, at speed Faster; what is not over then is undecided
    workers: int = max(1, os.cpu_count() or 1)  # games at the same time
    timeout_minutes: float = 30.0  # by the clock; a game that takes longer is a crash
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        if len(set(self.levels)) != len(self.levels) or len(self.levels) < 2:
            names = ", ".join(level.value for level in self.levels) or "none"
            raise ValueError(f"levels must be two or more different ones, got {names}")
        if not self.maps:
            raise ValueError("maps must be at least one, got none")
        for name in ("games", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("minutes", "timeout_minutes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


class Plan(NamedTuple):
    """One game to play."""

    weaker: str
    stronger: str
    number: int
    weaker_player: ComputerPlayer
    stronger_player: ComputerPlayer
    stronger_seat: int  # 1 or 2
    map_path: str
    seed: int
    max_loops: int

    @property
    def name(self) -> str:
        """A name for it that no other game of the ladder has."""
        return f"{self.stronger}-{self.weaker}-{self.number:04d}"


def run(config: LadderConfig) -> bool:
    """Play what was not played yet, and write table, plot and numbers.

    Returns:
        Whether there were games; not where each one crashed.

    Raises:
        ValueError: there is no such map, or the folder holds games of another ladder.
    """
    config = replace(config, maps=tuple(two_player_map(given) for given in config.maps))
    with locked_run(config.out):
        (config.out / REPLAY_FOLDER).mkdir(exist_ok=True)
        plans = planned_games(config)
        played = _games_so_far(config.out, plans)
        missing = [plan for plan in plans if plan.name not in played]
        compile_engine()
        with progress_bar("playing the ladder") as bar:
            bar.show(len(played) / len(plans), f"{len(played)} of {len(plans)} games")
            for record in _play_all(missing, config):
                played[record["name"]] = record
                append_json_line(config.out / GAMES_FILE, record)
                bar.show(len(played) / len(plans), f"{len(played)} of {len(plans)} games")
        result = summary(
            [played[plan.name] for plan in plans],
            version=rules_hash(),
            minutes=config.minutes,
            seed=config.seed,
        )
        write_json(config.out / RESULT_FILE, result)
        with whole_file(config.out / TABLE_FILE) as unfinished:
            unfinished.write_text(ladder_table(result), encoding="utf-8")
        plot_ladder(result, config.out / PLOT_FILE)
    logger.info("%s\nsee %s", ladder_table(result), config.out)
    num_crashes = sum(played[plan.name]["result"] == "crash" for plan in plans)
    if num_crashes == len(plans):
        logger.error("there were no games: all %d crashed", num_crashes)
    return num_crashes < len(plans)


def planned_games(config: LadderConfig) -> list[Plan]:
    """Return all games: races and seats are as even as their number allows."""
    races = [(first, second) for first in _RACES for second in _RACES]
    plans = []
    for weaker, stronger in zip(config.levels, config.levels[1:], strict=False):
        for number in range(config.games):
            weaker_race, stronger_race = races[number % len(races)]
            words = f"{config.seed} {stronger.value} {weaker.value} {number}"
            plans.append(
                Plan(
                    weaker=weaker.value,
                    stronger=stronger.value,
                    number=number,
                    weaker_player=ComputerPlayer(weaker_race, weaker.difficulty),
                    stronger_player=ComputerPlayer(stronger_race, stronger.difficulty),
                    stronger_seat=1 + number // len(races) % 2,
                    map_path=config.maps[number // (2 * len(races)) % len(config.maps)],
                    seed=zlib.crc32(words.encode()),
                    max_loops=round(config.minutes * 60 * LOOPS_PER_SECOND),
                )
            )
    return plans


def play(plan: Plan) -> tuple[dict[str, Any], bytes]:
    """Play a game; return its record, and its replay where the stronger level did not win."""
    players = [plan.stronger_player, plan.weaker_player]
    if plan.stronger_seat == 2:
        players.reverse()
    started = time.monotonic()
    with ComputerGame(players, map_path=plan.map_path, seed=plan.seed) as game:
        game.play(plan.max_loops)
        outcome = game.results.get(plan.stronger_seat)
        replay = b"" if outcome == _VICTORY else game.replay()
        loops = game.loop
    result = {None: "undecided", _VICTORY: "win", _DEFEAT: "loss"}.get(outcome, "tie")
    seconds = time.monotonic() - started
    return _record(plan, result, loops=loops, seconds=round(seconds, 1)), replay


def _record(plan: Plan, result: str, **more: Any) -> dict[str, Any]:
    return {
        "name": plan.name,
        "version": rules_hash(),
        "engine": "LatentStar's own",
        "stronger": plan.stronger,
        "weaker": plan.weaker,
        "stronger_race": _RACES[plan.stronger_player.race],
        "weaker_race": _RACES[plan.weaker_player.race],
        "stronger_seat": plan.stronger_seat,
        "map": plan.map_path,
        "seed": plan.seed,
        "max_loops": plan.max_loops,
        "result": result,
        **more,
    }


def _games_so_far(folder: Path, plans: list[Plan]) -> dict[str, dict[str, Any]]:
    """Return the records of earlier calls that belong to this ladder; crashes are played again."""
    path = folder / GAMES_FILE
    if not path.exists():
        return {}
    cut_torn_line(path)
    wanted = {plan.name: _record(plan, "") for plan in plans}
    played = {}
    for record in read_json_lines(path, remedy="name another folder with --out"):
        same = wanted.get(record["name"])
        if same is not None and any(record[key] != same[key] for key in same if key != "result"):
            raise ValueError(
                f"{path} holds games of another ladder: name another folder with --out"
            )
        if same is not None and record["result"] != "crash":
            played[record["name"]] = record
    return played


def _play_all(plans: list[Plan], config: LadderConfig) -> Iterator[dict[str, Any]]:
    """Play games on Ray, so many at a time, and yield their records as they come."""
    if not plans:
        return
    with ray_for(config.workers):
        import ray  # see ray_for

        task = ray.remote(num_cpus=1, max_retries=0)(play)
        waiting = list(reversed(plans))
        running: dict[Any, tuple[Plan, float]] = {}
        while waiting or running:
            while waiting and len(running) < config.workers:
                plan = waiting.pop()
                running[task.remote(plan)] = plan, time.monotonic()
            finished, _ = ray.wait(list(running), num_returns=1, timeout=1.0)
            for reference in finished:
                plan, _ = running.pop(reference)
                try:
                    record, replay = ray.get(reference)
                except ray.exceptions.RayTaskError as error:
                    yield _crash(plan, error.cause)
                    continue
                except ray.exceptions.RayError as error:  # its process died
                    yield _crash(plan, error)
                    continue
                if replay:
                    path = config.out / REPLAY_FOLDER / f"{plan.name}.SC2Replay"
                    with whole_file(path) as unfinished:
                        unfinished.write_bytes(replay)
                yield record
            for reference, (plan, since) in list(running.items()):
                if time.monotonic() - since > 60 * config.timeout_minutes:
                    del running[reference]
                    ray.cancel(reference, force=True)
                    yield _crash(plan, TimeoutError(f"over {config.timeout_minutes:g} minutes"))


def _crash(plan: Plan, error: BaseException) -> dict[str, Any]:
    detail = str(error).strip().splitlines() or [type(error).__name__]
    logger.warning("%s crashed: %s", plan.name, detail[-1])
    return _record(plan, "crash", loops=0, seconds=0.0, detail=detail[-1])
