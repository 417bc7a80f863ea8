"""One game of a policy or the scripted player, told as it goes: ``latentstar play RUN``.

Against a built-in opponent, or against a bot of python-sc2's that joins over the API.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from rich.console import Console
from tyro.conf import EnumChoicesFromValues, Positional

from agent.checkpoint import PRETRAINED, load_policy
from agent.match import Match, MatchResult, Result
from agent.player import Player
from agent.policy_player import Choosing, PolicyPlayer
from agent.run_checkpoints import CheckpointChoice, chosen_checkpoint
from agent.scripted.player import ScriptedPlayer
from envs.choices import Difficulty, GamePlace
from envs.errors import GameError
from envs.game_client import GameClient, GameSetup, Opponent
from envs.interface import LOOPS_PER_SECOND
from envs.launch import in_process, launch
from envs.two_players import DuelSetup
from training.bot_opponent import joined_by_bot, require_bot
from training.commentary import HEADING, Commentary, clock
from training.engine_games import SMALL_MAP, compile_engine
from training.engine_maps import two_player_map
from training.evaluation.settings import Level, PlayedRace
from training.stopping import stop_on_signals
from training.whole_files import make_folder, require_place, whole_file

GAMES_FOLDER = Path("games")


@dataclass(frozen=True, kw_only=True)
class PlayConfig:
    """Let a policy or the script play a game, and watch: ``latentstar play RUN``."""

    run: Positional[Path | None] = None  # of the policy; the scripted player if not given
    pretrained: bool = False  # in place of a run: the policy that ships with LatentStar
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
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be from 0 to 2 ** 32 - 1, got {self.seed}")
        if self.run is not None and self.pretrained:
            raise ValueError(f"wanted a run or --pretrained, got both: {self.run}")
        if self.policy is not None and self.style is not None:
            raise ValueError(f"style is the scripted player's, and a policy plays: {self.style!r}")

    @property
    def policy(self) -> Path | None:
        """Folder of the run whose policy plays; none if the scripted player does."""
        return PRETRAINED if self.pretrained else self.run

    @property
    def opponent(self) -> str:
        """Whom the player meets, in a few words."""
        who = self.level.value if self.bot is None else self.bot.rpartition(":")[2]
        return f"{who} {self.opponent_race.value}"


def run(config: PlayConfig) -> bool:
    """Play a game, tell of it and keep its replay; return whether the game lasted.

    Raises:
        FileNotFoundError: no such run or bot.
        ValueError: the checkpoint is of no use, the bot cannot play, or there is no such map.
        LaunchError: the game's program did not start.
        GameCrashedError: the engine in this process failed, which is a fault to look into.
        KeyboardInterrupt: somebody stopped it, and the replay is kept.
    """
    map_path = two_player_map(config.map)
    if config.bot is not None:
        require_bot(config.bot)
    player = _player(config)
    replay = _replay_file(config, player, map_path)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{player.name} against {config.opponent}")
    with _begun(config, player, map_path, log=replay.with_suffix(".bot.log")) as client:
        player.reset(client.game_map, config.race.race, seed=config.seed)
        match = Match(client, max_loops=round(config.minutes * 60 * LOOPS_PER_SECOND))
        commentary = Commentary(console.print)
        console.print(HEADING, style="bold")
        with stop_on_signals() as stop:
            try:
                while not (match.is_over or stop.is_requested):
                    observation = match.moment.shown.observation
                    action = player.act(observation)
                    commentary.note(observation, action, match.do(action))
            except GameError as error:
                if _is_here(config):
                    raise
                where = clock(match.moment.loop)
                console.print(f"the game broke at {where}, and has no replay: {error}")
                return False
        result = match.result()
        console.print(_ending(result), style="bold")
        with whole_file(replay) as unfinished:
            unfinished.write_bytes(client.replay())
        console.print(f"the replay is {replay}")
    if stop.is_requested and result.result is Result.UNDECIDED:
        raise KeyboardInterrupt
    return True


def _is_here(config: PlayConfig) -> bool:
    """Return whether the game is played in this process."""
    return config.bot is None and config.place is GamePlace.IN_PROCESS


def _player(config: PlayConfig) -> Player:
    if config.policy is None:
        return ScriptedPlayer(config.race.race, style=config.style)
    checkpoint = chosen_checkpoint(config.policy, config.checkpoint)
    return PolicyPlayer(
        load_policy(checkpoint),
        name=f"{config.policy.resolve().name} step {checkpoint.step} {config.race.value}",
        choosing=Choosing(temperature=config.temperature),
    )


def _replay_file(config: PlayConfig, player: Player, map_path: str) -> Path:
    """Return where the replay is to lie, which can be written to."""
    path = config.replay
    if path is None:
        map_name = PurePosixPath(map_path).stem
        words = f"{player.name} against {config.opponent} {map_name} {config.seed}"
        folder = GAMES_FOLDER if config.run is None else config.run / GAMES_FOLDER
        path = folder / f"{words.replace(' ', '-')}.SC2Replay"
    make_folder(path.parent)
    require_place(path)
    return path


@contextmanager
def _begun(config: PlayConfig, player: Player, map_path: str, *, log: Path) -> Iterator[GameClient]:
    """Begin the game, and yield the player's client in it."""
    race, opponent_race = config.race.race, config.opponent_race.race
    sight = player.sight
    if config.bot is not None:
        setup = DuelSetup(map_path=map_path, races=(race, opponent_race), seed=config.seed)
        with launch() as process:
            client = GameClient(process, plane_size=sight.plane_size, limits=sight.limits)
            with joined_by_bot(client, process, setup, source=config.bot, log=log):
                yield client
        return
    is_here = _is_here(config)
    if is_here:
        compile_engine()
    opponent = Opponent(race=opponent_race, difficulty=int(Difficulty[config.level.name]))
    with in_process() if is_here else launch() as connection:
        client = GameClient(connection, plane_size=sight.plane_size, limits=sight.limits)
        client.start(GameSetup(map_path=map_path, race=race, opponent=opponent, seed=config.seed))
        yield client


def _ending(result: MatchResult) -> str:
    """Return in a line how the game went."""
    return (
        f"{result.result.value} at {clock(result.loops)}: {result.num_actions} actions, "
        f"{result.actions_per_minute:.0f} a minute, {result.num_refused} of them refused"
    )
