"""``latentstar COMMAND``: the command line.

A command is a module with ``run`` and, where it has options, a configuration; both are imported
when the command is called, so that the list of commands appears at once.
"""

import importlib
import logging
import sys
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import tyro

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
    "demo": Command(
        "decode, clone and score: a folder of replays, in a few minutes",
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
        0 when done, 1 when ``doctor`` found something broken, 2 when the input was refused,
        130 when interrupted.
    """
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_overview())
        return 0 if arguments else REFUSED
    words = 2 if " ".join(arguments[:2]) in COMMANDS else 1
    name, options = " ".join(arguments[:words]), arguments[words:]
    if name not in COMMANDS:
        return _refuse(f"no command is named {name!r}; there are {', '.join(COMMANDS)}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        return _call(name, options)
    except KeyboardInterrupt:
        print(f"latentstar {name}: stopped", file=sys.stderr)
        return INTERRUPTED
    except (OSError, ValueError) as error:
        if not is_refusal(error):
            raise
        return _refuse(str(error), name)


def _overview() -> str:
    """Return the list of commands."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:{width}}{command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        ["usage: latentstar COMMAND ...", "", *lines, "", "latentstar COMMAND --help: its options"]
    )


def _call(name: str, options: Sequence[str]) -> int:
    """Import a command, make its configuration from the options, and run it."""
    command = COMMANDS[name]
    program = f"latentstar {name}"
    if command.configuration is None:
        tyro.cli(_without_options, args=options, prog=program, description=command.summary)
        return 0 if importlib.import_module(command.module).run() else 1
    module, class_name = command.configuration.split(":")
    config = tyro.cli(
        getattr(importlib.import_module(module), class_name),
        args=options,
        prog=program,
        config=(tyro.conf.PositionalRequiredArgs,),
    )
    importlib.import_module(command.module).run(config)
    return 0


def _without_options() -> None:
    """Take no options; tyro answers ``--help`` and refuses the rest."""


def _refuse(reason: str, name: str | None = None) -> int:
    """Say in one line why the input was refused."""
    program = "latentstar" if name is None else f"latentstar {name}"
    print(f"{program}: {' '.join(reason.split())}", file=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    main()
