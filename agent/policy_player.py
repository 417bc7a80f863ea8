"""A policy with its memory and its way of choosing, as a ``Player``."""

import torch

from agent.player import Sight
from envs.interface import UNKNOWN, Action, Observation, Race
from envs.observations import GameMap
from policies.batch import Actions, stack_observations
from policies.distributions import Sampling
from policies.policy import Policy


class PolicyPlayer:
    """Plays as a policy decides, one step at a time."""

    def __init__(
        self,
        policy: Policy,
        *,
        name: str,
        sampling: Sampling = Sampling.DRAW,
        temperature: float = 1.0,
    ) -> None:
        """Take a policy.

        Args:
            policy: it stays on its device.
            name: who it is, such as a checkpoint's digest.
            sampling: at random or the likeliest.
            temperature: of all heads but delay; below 1 is greedier.
        """
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, got {temperature}")
        self._policy = policy.eval()
        self._name = name
        self._sampling = sampling
        self._temperature = temperature
        self._device = next(policy.parameters()).device
        self._generator = torch.Generator(self._device)
        self._state = policy.initial_state(1)
        self._is_first = True

    @property
    def name(self) -> str:
        """Who it is."""
        return self._name

    @property
    def sight(self) -> Sight:
        """What its network reads."""
        config = self._policy.config
        return Sight(config.plane_size, config.entity_limits)

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        """Begin a game with an empty memory; map and race it knows from what it is shown."""
        del game_map, race
        self._generator.manual_seed(seed)
        self._state = self._policy.initial_state(1)
        self._is_first = True

    def act(self, observation: Observation) -> Action:
        """Return what the policy decides."""
        observations = stack_observations([[observation]])
        output = self._policy.act(
            type(observations)(*(part.to(self._device) for part in observations)),
            self._state,
            torch.tensor([[self._is_first]], device=self._device),
            sampling=self._sampling,
            temperature=self._temperature,
            generator=self._generator,
        )
        self._state, self._is_first = output.state, False
        return action_of_tensors(output.actions)


def action_of_tensors(actions: Actions) -> Action:
    """Return the one action of a batch of one step of one game."""
    selected = actions.selected_units[0, 0].cpu()
    x, y = actions.target_location[0, 0].tolist()
    return Action(
        action_type=int(actions.action_type),
        delay=int(actions.delay),
        queued=int(actions.queued),
        selected_units=selected[selected != UNKNOWN].to(torch.int16).numpy(),
        target_unit=int(actions.target_unit),
        target_location=(x, y),
    )
