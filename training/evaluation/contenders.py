"""Who plays planned games: a policy or a script, told so that any process can make it."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from agent.checkpoint import load_policy, read_checkpoint
from agent.policy_player import Choosing, PolicyTeam
from agent.scripted.player import ScriptedPlayer
from envs.interface import Race
from policies.policy import Policy


class Script(NamedTuple):
    """A scripted player of one style, or of another by each game's seed."""

    style: str | None = None

    @property
    def name(self) -> str:
        """Who it is, in results."""
        return " ".join(["scripted", *([self.style] if self.style else [])])

    def player(self, race: Race) -> ScriptedPlayer:
        """Return the player for a race.

        Raises:
            ValueError: the race has no such style.
        """
        return ScriptedPlayer(race, style=self.style)


class Cloned(NamedTuple):
    """A policy from a checkpoint."""

    checkpoint: Path  # folder
    name: str  # who it is, in results
    digest: str  # of the checkpoint
    choosing: Choosing

    def team(self) -> PolicyTeam:
        """Return the policy, ready to play."""
        return PolicyTeam(_policy(self.checkpoint, self.digest), choosing=self.choosing)


Contender = Script | Cloned


@lru_cache(maxsize=1)
def _policy(folder: Path, digest: str) -> Policy:
    checkpoint = read_checkpoint(folder)
    if checkpoint.digest != digest:
        raise ValueError(f"{folder} must hold checkpoint {digest[:12]}, it has changed meanwhile")
    return load_policy(checkpoint)
