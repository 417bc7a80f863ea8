"""``latentstar COMMAND``: the command line.

A command is a module with ``run`` and, where it has options, a configuration; both are imported
when the command is called, so that the list of commands appears at once.
"""

import importlib
import logging
import sys
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from typing import NamedTuple, NoReturn

import tyro

from envs.errors import LaunchError
from training.option_errors import OptionsRefusedError, read_options
from training.refusal import is_refusal

REFUSED = 2
INTERRUPTED = 130


class Command(NamedTuple):
    """Where a command lives; ``configuration`` is module:class, or nothing without options."""

    summary: str
    module: str
    configuration: str | None


COMMANDS = {
    "doctor": Command(
        "what is installed, what is missing and how to mend it", "training.doctor", None
    ),
    "replays": Command(
        "decode a folder of replays to a dataset; no game needed",
        "training.preprocessing",
        "training.preprocessing:ReplaysConfig",
    ),
    "bc": Command(
        "behavioural cloning: learn to act as the players of a dataset did",
        "training.behaviour_cloning",
        "training.config:BehaviourCloningConfig",
    ),
    "score": Command(
        "how well a policy predicts the actions of players it has not seen",
        "training.score",
        "training.config:ScoreConfig",
    ),
    "compare": Command(
        "scored runs side by side, as a table in Markdown",
        "training.compare",
        "training.compare:CompareConfig",
    ),
    "games": Command(
        "games of a scripted player, kept as replays to learn from",
        "training.games",
        "training.games:GamesConfig",
    ),
    "evaluate": Command(
        "win rates of a policy against the built-in opponents",
        "training.evaluate",
        "training.evaluate:EvaluateConfig",
    ),
    "play": Command(
        "one game of a policy or the scripted player, told as it goes",
        "training.play",
        "training.play:PlayConfig",
    ),
    "ratings": Command(
        "Elo ratings of several evaluated players and the levels they met",
        "training.ratings",
        "training.ratings:RatingsConfig",
    ),
    "demo": Command(
        "play, clone and evaluate in a few minutes; or decode, clone and score replays",
        "training.demo",
        "training.demo:DemoConfig",
    ),
    "engine": Command(
        "the engine as a server for programs that speak StarCraft II's API",
        "training.engine_server",
        "training.engine_server:EngineConfig",
    ),
    "bench replays": Command(
        "measure replay decoding against s2protocol",
        "training.bench.replays",
        "training.bench.replays:ReplaysBenchConfig",
    ),
    "bench engine": Command(
        "measure the engine against real time, and its decoder against pysc2",
        "training.bench.engine",
        "training.bench.engine:EngineBenchConfig",
    ),
    "bench features": Command(
        "measure observations as the network reads them against pysc2's features",
        "training.bench.features",
        "training.bench.features:FeaturesBenchConfig",
    ),
    "bench ladder": Command(
        "the engine's levels against each other: win rates of a ladder with a version",
        "training.bench.ladder",
        "training.bench.ladder:LadderConfig",
    ),
    "bench mini-games": Command(
        "pysc2's mini-games on the engine: what a random and a scripted player score",
        "training.bench.mini_games",
        "training.bench.mini_games:MiniGamesConfig",
    ),
}


def main() -> NoReturn:
    """Run the command that the program was called with, and exit with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status.

    Returns:
        0 when done, 1 when ``doctor`` found something broken or a command says that nothing came
        of it, 2 when the input was refused, 130 when interrupted.
    """
    if list(arguments) == ["--version"]:
        print(f"latentstar {metadata.version('latentstar')}")
        return 0
    words = 2 if arguments and _those_of(arguments[0]) else 1
    name, options = " ".join(arguments[:words]), arguments[words:]
    if name not in COMMANDS:
        return _without_command(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    # As torch has it once it is imported; stopped before, it would tell of its caches at the end.
    logging.getLogger("torch").setLevel(logging.WARNING)
    try:
        return _call(name, options)
    except KeyboardInterrupt:
        print(f"latentstar {name}: stopped", file=sys.stderr)
        return INTERRUPTED
    except OptionsRefusedError as refused:
        return _refuse(str(refused), name)
    except (OSError, ValueError, LaunchError) as error:
        if not is_refusal(error):
            raise
        return _refuse(str(error), name)


def _those_of(group: str) -> list[str]:
    """Return the names of the commands whose first word of two this is."""
    return [name for name in COMMANDS if name.startswith(f"{group} ")]


def _without_command(arguments: Sequence[str]) -> int:
    """Show the commands that there are, or refuse one that there is not."""
    group = arguments[:1] if arguments and _those_of(arguments[0]) else []
    names = _those_of(group[0]) if group else list(COMMANDS)
    asked = arguments[len(group) :][:1]
    if asked and asked[0] not in {"-h", "--help"}:
        name = " ".join([*group, *asked])
        return _refuse(f"no command is named {name!r}; there are {', '.join(names)}")
    print(_overview(" ".join(["latentstar", *group, "COMMAND"]), names))
    return 0 if asked else REFUSED


def _overview(usage: str, names: Sequence[str]) -> str:
    """Return a list of commands."""
    width = max(map(len, names)) + 2
    lines = [f"  {name:{width}}{COMMANDS[name].summary}" for name in names]
    return "\n".join([f"usage: {usage} ...", "", *lines, "", f"{usage} --help: its options"])


def _call(name: str, options: Sequence[str]) -> int:
    """Import a command, make its configuration from the options, and run it."""
    command = COMMANDS[name]
    program = f"latentstar {name}"
    if command.configuration is None:
        read_options(
            partial(
                tyro.cli,
                _without_options,
                args=options,
                prog=program,
                description=command.summary,
            )
        )
        return 0 if importlib.import_module(command.module).run() else 1
    module, class_name = command.configuration.split(":")
    config = read_options(
        partial(
            tyro.cli,
            getattr(importlib.import_module(module), class_name),
            args=options,
            prog=program,
            config=(tyro.conf.PositionalRequiredArgs,),
        )
    )
    return 1 if importlib.import_module(command.module).run(config) is False else 0


def _without_options() -> None:
    """Take no options; tyro answers ``--help`` and refuses the rest."""


def _refuse(reason: str, name: str | None = None) -> int:
    """Say in one line why the input was refused."""
    program = "latentstar" if name is None else f"latentstar {name}"
    print(f"{program}: {' '.join(reason.split())}", file=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    main()
