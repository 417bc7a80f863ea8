"""One game of a policy or the scripted player, told as it goes: ``latentstar play RUN``.

Against a built-in opponent, or against a bot of python-sc2's that joins over the API.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from rich.console import Console
from tyro.conf import EnumChoicesFromValues, Positional

from agent.checkpoint import load_policy
from agent.match import MatchResult, play_on
from agent.player import Player
from agent.policy_player import Choosing, PolicyPlayer
from agent.scripted.player import ScriptedPlayer
from envs.choices import Difficulty, GamePlace
from envs.game_client import GameClient, GameSetup, Opponent
from envs.interface import LOOPS_PER_SECOND, Action, Observation
from envs.launch import in_process, launch
from envs.two_players import DuelSetup
from training.bot_opponent import joined_by_bot
from training.commentary import HEADING, Commentary, CommentedPlayer, clock
from training.config import CheckpointChoice
from training.engine_games import SMALL_MAP, compile_engine
from training.engine_maps import two_player_map
from training.evaluation.settings import Level, PlayedRace
from training.run_folder import chosen_checkpoint
from training.stopping import Stop, stop_on_signals
from training.whole_files import make_folder, require_place, whole_file

GAMES_FOLDER = Path("games")


@dataclass(frozen=True, kw_only=True)
class PlayConfig:
    """Let a policy or the script play a game, and watch: ``latentstar play RUN``."""

    run: Positional[Path | None] = None  # of the policy; the scripted player if not given
    checkpoint: Annotated[CheckpointChoice, EnumChoicesFromValues] = CheckpointChoice.BEST
    temperature: float = 1.0  # of the policy's choices but delay; below 1 is greedier
    style: str | None = None  # of the scripted player; one by the seed if not given
    race: Annotated[PlayedRace, EnumChoicesFromValues] = PlayedRace.ZERG
    level: Annotated[Level, EnumChoicesFromValues] = Level.VERY_HARD  # of the built-in opponent
    opponent_race: Annotated[PlayedRace, EnumChoicesFromValues] = PlayedRace.TERRAN
    bot: str | None = None  # FILE.py:CLASS, a bot of python-sc2's in place of the opponent
    map: str = SMALL_MAP  # path or name of one of the engine's
    place: Annotated[GamePlace, EnumChoicesFromValues] = GamePlace.IN_PROCESS  # a process for bots
    minutes: float = 25.0  # of game time, at speed Faster; what is not over then is undecided
    seed: int = 0
    replay: Path | None = None  # file to keep the game in; one in games/ if not given

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        for name in ("minutes", "temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")
        if self.run is not None and self.style is not None:
            raise ValueError(f"style is the scripted player's, and a run is given: {self.style!r}")

    @property
    def opponent(self) -> str:
        """Whom the player meets, in a few words."""
        who = self.level.value if self.bot is None else self.bot.rpartition(":")[2]
        return f"{who} {self.opponent_race.value}"


def run(config: PlayConfig) -> None:
    """Play a game, tell of it and keep its replay.

    Raises:
        FileNotFoundError: no such run or bot.
        ValueError: the checkpoint is of no use, the bot cannot play, or there is no such map.
        GameError: the game broke.
        KeyboardInterrupt: somebody stopped it, and the replay is kept.
    """
    map_path = two_player_map(config.map)
    player = _player(config)
    replay = _replay_file(config, player)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{player.name}, {config.race.value}, against {config.opponent}")
    with ExitStack() as stack:
        client = _begun(config, player, map_path, replay, stack)
        player.reset(client.game_map, config.race.race, seed=config.seed)
        telling = _Telling(console, stack.enter_context(stop_on_signals()))
        console.print(HEADING, style="bold")
        max_loops = round(config.minutes * 60 * LOOPS_PER_SECOND)
        try:
            result = play_on(client, CommentedPlayer(player, telling.note), max_loops=max_loops)
        except KeyboardInterrupt:
            console.print(f"stopped at {clock(client.moment.loop)}", style="bold")
            _save(replay, client, console)
            raise
        console.print(_ending(result), style="bold")
        _save(replay, client, console)


class _Telling:
    """Prints what a player does, and ends the game between two decisions if somebody asks to."""

    def __init__(self, console: Console, stop: Stop) -> None:
        self._commentary = Commentary(console.print)
        self._stop = stop

    def note(self, observation: Observation, action: Action) -> None:
        """Take a decision before it is carried out."""
        self._commentary.note(observation, action)
        if self._stop.is_requested:
            raise KeyboardInterrupt


def _player(config: PlayConfig) -> Player:
    if config.run is None:
        return ScriptedPlayer(config.race.race, style=config.style)
    checkpoint = chosen_checkpoint(config.run, config.checkpoint)
    torch.set_num_threads(1)
    return PolicyPlayer(
        load_policy(checkpoint),
        name=f"{config.run.name} step {checkpoint.step}",
        choosing=Choosing(temperature=config.temperature),
    )


def _replay_file(config: PlayConfig, player: Player) -> Path:
    """Return where the replay is to lie, which can be written to."""
    path = config.replay
    if path is None:
        words = f"{player.name} {config.race.value} against {config.opponent} {config.seed}"
        folder = GAMES_FOLDER if config.run is None else config.run / GAMES_FOLDER
        path = folder / f"{words.replace(' ', '-')}.SC2Replay"
    make_folder(path.parent)
    require_place(path)
    return path


def _begun(
    config: PlayConfig, player: Player, map_path: str, replay: Path, stack: ExitStack
) -> GameClient:
    """Begin the game, and return the player's client in it."""
    if config.place is GamePlace.IN_PROCESS and config.bot is None:
        compile_engine()
        connection = stack.enter_context(in_process())
    else:
        connection = stack.enter_context(launch())
    sight = player.sight
    client = GameClient(connection, plane_size=sight.plane_size, limits=sight.limits)
    race, opponent_race = config.race.race, config.opponent_race.race
    if config.bot is None:
        difficulty = int(Difficulty[config.level.name])
        opponent = Opponent(race=opponent_race, difficulty=difficulty)
        client.start(
            GameSetup(map_path=map_path, race=race, opponent=opponent, seed=config.seed)
        )
    else:
        setup = DuelSetup(map_path=map_path, races=(race, opponent_race), seed=config.seed)
        log = replay.with_suffix(".bot.log")
        stack.enter_context(
            joined_by_bot(client, connection, setup, source=config.bot, log=log)
        )
    return client


def _ending(result: MatchResult) -> str:
    """Return in a line how the game went."""
    return (
        f"{result.result.value} at {clock(result.loops)}: {result.num_actions} actions, "
        f"{result.actions_per_minute:.0f} a minute, {result.num_refused} of them refused"
        + "".join(f"; {times} times {reason}" for reason, times in result.refusals)
    )


def _save(path: Path, client: GameClient, console: Console) -> None:
    with whole_file(path) as unfinished:
        unfinished.write_bytes(client.replay())
    console.print(f"the replay is {path}")
