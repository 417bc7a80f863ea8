"""Planned games, played in parallel on Ray, in parts that a process plays side by side."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, NamedTuple

import torch

from agent.match import MatchResult, play_game, play_side_by_side
from envs.choices import Difficulty, GamePlace
from envs.connection import Connection
from envs.errors import GameError
from envs.game_client import GameClient, GameSetup, Opponent
from envs.interface import Race
from envs.launch import in_process, launch
from training.cluster import ray_for
from training.evaluation.contenders import Contender, Script
from training.evaluation.records import PlannedGame, Result


class Part(NamedTuple):
    """Games that one process plays, side by side where it can."""

    games: tuple[PlannedGame, ...]
    contender: Contender
    place: GamePlace
    max_loops: int


class Played(NamedTuple):
    """How a planned game went."""

    planned: PlannedGame
    result: Result
    detail: str  # why it crashed; empty otherwise
    loops: int
    seconds: float  # by the clock; of the part, where games were played side by side
    actions_per_minute: float | None
    refused_share: float | None  # of its actions
    replay: bytes  # empty where it crashed


def play_parts(
    parts: Sequence[Part], *, workers: int, timeout_minutes: float
) -> Iterator[list[Played]]:
    """Play parts on Ray, so many at a time, and yield what comes of each as it is done.

    Args:
        parts: what to play.
        workers: processes.
        timeout_minutes: by the clock; a part that takes longer has crashed.
    """
    if not parts:
        return
    with ray_for(workers):
        import ray  # see ray_for

        task = ray.remote(num_cpus=1, max_retries=0)(play_part)
        waiting = iter(parts)
        running: dict[Any, tuple[Part, float]] = {}
        for part in islice(waiting, workers):
            running[task.remote(part)] = part, time.monotonic()
        while running:
            finished, _ = ray.wait(list(running), num_returns=1, timeout=1.0)
            for reference in finished:
                part, since = running.pop(reference)
                try:
                    yield ray.get(reference)
                except ray.exceptions.RayTaskError as error:
                    yield _crashed(part, error.cause, time.monotonic() - since)
                except ray.exceptions.RayError as error:  # its process died
                    yield _crashed(part, error, time.monotonic() - since)
            for reference, (part, since) in list(running.items()):
                if time.monotonic() - since > 60 * timeout_minutes:
                    del running[reference]
                    ray.cancel(reference, force=True)
                    late = TimeoutError(f"over {timeout_minutes:g} minutes")
                    yield _crashed(part, late, time.monotonic() - since)
            for part in islice(waiting, workers - len(running)):
                running[task.remote(part)] = part, time.monotonic()


def play_part(part: Part) -> list[Played]:
    """Play games in this process."""
    torch.set_num_threads(1)
    if isinstance(part.contender, Script):
        return [_play_script(game, part.contender, part) for game in part.games]
    team = part.contender.team()
    started = time.monotonic()
    with ExitStack() as stack:
        clients = []
        for _ in part.games:
            connection = stack.enter_context(_game(part.place))
            sight = team.sight
            clients.append(GameClient(connection, plane_size=sight.plane_size, limits=sight.limits))
        setups = [setup_of(game) for game in part.games]
        outcomes = play_side_by_side(clients, team, setups, max_loops=part.max_loops)
        seconds = time.monotonic() - started
        return [
            _played(game, outcome, seconds, client)
            for game, outcome, client in zip(part.games, outcomes, clients, strict=True)
        ]


def setup_of(game: PlannedGame) -> GameSetup:
    """Return a planned game as clients set it up."""
    difficulty = Difficulty[game.level.upper()]
    return GameSetup(
        map_path=game.map,
        race=Race[game.race.upper()],
        opponent=Opponent(race=Race[game.opponent_race.upper()], difficulty=int(difficulty)),
        seed=game.seed,
        player=game.seat,
    )


def _play_script(game: PlannedGame, script: Script, part: Part) -> Played:
    player = script.player(Race[game.race.upper()])
    started = time.monotonic()
    with _game(part.place) as connection:
        client = GameClient(
            connection, plane_size=player.sight.plane_size, limits=player.sight.limits
        )
        outcome: MatchResult | GameError
        try:
            outcome = play_game(client, player, setup_of(game), max_loops=part.max_loops)
        except GameError as error:
            outcome = error
        return _played(game, outcome, time.monotonic() - started, client)


def _game(place: GamePlace) -> Connection:
    return in_process() if place is GamePlace.IN_PROCESS else launch()


def _played(
    game: PlannedGame, outcome: MatchResult | GameError, seconds: float, client: GameClient
) -> Played:
    if isinstance(outcome, GameError):
        return _crash(game, outcome, seconds)
    try:
        replay = client.replay()
    except GameError as error:
        return _crash(game, error, seconds)
    return Played(
        planned=game,
        result=Result(outcome.result.value),
        detail="",
        loops=outcome.loops,
        seconds=round(seconds, 1),
        actions_per_minute=round(outcome.actions_per_minute, 1),
        refused_share=round(outcome.num_refused / max(outcome.num_actions, 1), 4),
        replay=replay,
    )


def _crashed(part: Part, error: BaseException, seconds: float) -> list[Played]:
    return [_crash(game, error, seconds) for game in part.games]


def _crash(game: PlannedGame, error: BaseException, seconds: float) -> Played:
    words = str(error).strip().splitlines() or [type(error).__name__]
    return Played(
        planned=game,
        result=Result.CRASH,
        detail=words[-1],
        loops=0,
        seconds=round(seconds, 1),
        actions_per_minute=None,
        refused_share=None,
        replay=b"",
    )
