"""The names that ``gymnasium.make`` knows our environments by."""

import gymnasium

from envs.tasks import MINI_GAMES

NAMESPACE = "latentstar"
MELEE = f"{NAMESPACE}/Melee-v0"


def mini_game_id(name: str) -> str:
    """Return what ``gymnasium.make`` knows a mini-game by."""
    return f"{NAMESPACE}/{name}-v0"


def register_environments() -> None:
    """Register them all; those that are registered already stay as they are."""
    entries = {mini_game_id(name): ("envs.sc2_env:mini_game", {"map": name}) for name in MINI_GAMES}
    entries[MELEE] = ("envs.sc2_env:melee", {})
    for name, (entry_point, settings) in entries.items():
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=entry_point, kwargs=settings)
