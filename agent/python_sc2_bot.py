"""Has a bot of python-sc2's join a game that another program has created.

``python -m agent.python_sc2_bot FILE.py:CLASS RACE PORT PORT PORT PORT``, in a process of its own:
python-sc2 starts a game of its own for it, from the folder that SC2PATH names.
"""

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

from sc2 import main as python_sc2
from sc2.bot_ai import BotAI
from sc2.data import Race
from sc2.player import Bot
from sc2.portconfig import Portconfig


def found_bot(source: str) -> type[BotAI]:
    """Return the class that ``FILE.py:CLASS`` names.

    Raises:
        ValueError: the file has no such class.
    """
    file, _, name = source.rpartition(":")
    path = Path(file).expanduser().resolve()
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(path.parent))  # for what lies beside it
    sys.modules[path.stem] = module
    specification.loader.exec_module(module)
    bot: Any = getattr(module, name, None)
    if not isinstance(bot, type) or not issubclass(bot, BotAI):
        raise ValueError(f"{file} must have a subclass of BotAI named {name!r}, it has none")
    return bot


def join(bot: type[BotAI], race: str, ports: list[int]) -> None:
    """Join a game and play it to its end."""
    first, second, third, fourth = ports
    player = Bot(Race[race.capitalize()], bot(), name=bot.__name__)
    portconfig = Portconfig(server_ports=[first, second], player_ports=[[third, fourth]])
    # the player that joins is python-sc2's second
    asyncio.run(python_sc2._join_game([player, player], realtime=False, portconfig=portconfig))


if __name__ == "__main__":
    join(found_bot(sys.argv[1]), sys.argv[2], [int(port) for port in sys.argv[3:]])
