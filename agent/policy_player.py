"""A policy with its memory and its way of choosing, as someone who plays."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from agent.player import Sight
from envs.interface import UNKNOWN, Action, Observation, Race
from envs.observations import GameMap
from policies.batch import Actions, Observations, stack_observations
from policies.core import CoreState
from policies.distributions import Sampling
from policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Choosing:
    """How a policy makes its choices."""

    sampling: Sampling = Sampling.DRAW
    temperature: float = 1.0  # of all heads but delay; below 1 is greedier

    def __post_init__(self) -> None:
        """Refuse a temperature that is none."""
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, got {self.temperature}")


class PolicyTeam:
    """One policy that plays several games at once, with a memory for each."""

    def __init__(self, policy: Policy, *, choosing: Choosing = Choosing()) -> None:
        """Take a policy; it stays on its device."""
        self._policy = policy.eval()
        self._choosing = choosing
        self._device = next(policy.parameters()).device
        self._generator = torch.Generator(self._device)
        self._state = policy.initial_state(1)
        self._is_first = torch.ones(1, dtype=torch.bool, device=self._device)

    @property
    def sight(self) -> Sight:
        """What the network reads."""
        config = self._policy.config
        return Sight(config.plane_size, config.entity_limits)

    def reset(self, num_games: int, *, seed: int) -> None:
        """Begin games, with an empty memory for each."""
        self._generator.manual_seed(seed)
        self._state = self._policy.initial_state(num_games)
        self._is_first = torch.ones(num_games, dtype=torch.bool, device=self._device)

    def act(self, observations: Mapping[int, Observation]) -> dict[int, Action]:
        """Return what the policy decides, by the numbers of the games that are asked about."""
        games = torch.tensor(list(observations), device=self._device)
        stacked = stack_observations([list(observations.values())])
        output = self._policy.act(
            Observations(*(part.to(self._device) for part in stacked)),
            CoreState(*(part.index_select(1, games) for part in self._state)),
            self._is_first[games][None],
            sampling=self._choosing.sampling,
            temperature=self._choosing.temperature,
            generator=self._generator,
        )
        parts = zip(self._state, output.state, strict=True)
        self._state = CoreState(*(old.index_copy(1, games, new) for old, new in parts))
        self._is_first[games] = False
        actions = Actions(*(part[0].cpu() for part in output.actions))
        return {number: _action_of(actions, row) for row, number in enumerate(observations)}


class PolicyPlayer:
    """A policy as a ``Player``: a team of one game."""

    def __init__(self, policy: Policy, *, name: str, choosing: Choosing = Choosing()) -> None:
        """Take a policy, and a name for who it is, such as its checkpoint's digest."""
        self._team = PolicyTeam(policy, choosing=choosing)
        self._name = name

    @property
    def name(self) -> str:
        """Who it is."""
        return self._name

    @property
    def sight(self) -> Sight:
        """What its network reads."""
        return self._team.sight

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        """Begin a game; map and race it knows from what it is shown."""
        del game_map, race
        self._team.reset(1, seed=seed)

    def act(self, observation: Observation) -> Action:
        """Return what the policy decides."""
        return self._team.act({0: observation})[0]


def _action_of(actions: Actions, row: int) -> Action:
    selected = actions.selected_units[row]
    x, y = actions.target_location[row].tolist()
    return Action(
        action_type=int(actions.action_type[row]),
        delay=int(actions.delay[row]),
        queued=int(actions.queued[row]),
        selected_units=selected[selected != UNKNOWN].to(torch.int16).numpy(),
        target_unit=int(actions.target_unit[row]),
        target_location=(x, y),
    )
