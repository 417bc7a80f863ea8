"""A player that follows written rules, as an opponent, a teacher and a yardstick."""

import numpy as np

from agent.player import Sight
from agent.scripted.army import attack, defend, gather
from agent.scripted.catalogue import types_of_kind
from agent.scripted.economy import fill_gas, send_idle_workers, share_workers
from agent.scripted.ground import Ground, Place
from agent.scripted.orders import rest
from agent.scripted.plan import Rule, Style, varied
from agent.scripted.production import produce
from agent.scripted.situation import Situation
from agent.scripted.styles import styles_of
from envs.interface import (
    SUBCELLS,
    Action,
    Alliance,
    EntityFeature,
    Observation,
    Race,
    ScalarFeature,
)
from envs.observations import GameMap

PLANE_SIZE = 128


class ScriptedPlayer:
    """Plays a race by rules, each decision by what the present observation shows.

    All that lasts is what is known of the map and the style that the seed chose.
    """

    sight = Sight(plane_size=PLANE_SIZE)

    def __init__(self, race: Race, *, style: str | None = None) -> None:
        """Choose a player.

        Args:
            race: that it plays.
            style: the name of one; None for another by each game's seed.

        Raises:
            ValueError: there is no such style.
        """
        self._styles = [one for one in styles_of(race) if style in (None, one.name)]
        if not self._styles:
            names = [one.name for one in styles_of(race)]
            raise ValueError(f"expected a style of {race.name} among {names}, got {style!r}")
        self._race = race
        self._name = " ".join(["scripted", race.name.lower(), *([style] if style else [])])
        self._style = self._styles[0]
        self._seed = 0
        self._game_map: GameMap | None = None
        self._ground: Ground | None = None

    @property
    def name(self) -> str:
        """Who it is, in results."""
        return self._name

    @property
    def style(self) -> Style:
        """How it plays this game."""
        return self._style

    def reset(self, game_map: GameMap, race: Race, *, seed: int) -> None:
        """Begin a game.

        Raises:
            ValueError: it is asked to play another race than its own.
        """
        if race is not self._race:
            raise ValueError(f"{self.name} plays {self._race.name}, got {race.name}")
        self._game_map, self._ground, self._seed = game_map, None, seed

    def act(self, observation: Observation) -> Action:
        """Return what to do, and in its delay after how many loops to be asked again."""
        situation = Situation(observation, self._ground or self._begin(observation))
        for rule in self._rules():
            action = rule(situation)
            if action is not None:
                return action
        return rest()

    def _rules(self) -> list[Rule]:
        """Return all rules, those first that others wait for."""
        style = self._style
        return [
            defend,
            lambda situation: attack(situation, style),
            *style.rules,
            lambda situation: produce(situation, style),
            send_idle_workers,
            fill_gas,
            share_workers,
            gather,
        ]

    def _begin(self, observation: Observation) -> Ground:
        """Choose a style against the enemy's race, and return what is known of the map.

        Both by the first observation of a game.
        """
        if self._game_map is None:
            raise ValueError(f"{self.name} must be told of a game by reset before it acts")
        enemy = Race(int(observation.scalars[ScalarFeature.AWAY_RACE]))
        fitting = [style for style in self._styles if enemy not in style.not_against]
        styles = fitting or self._styles
        chance = np.random.default_rng(self._seed)
        self._style = varied(styles[int(chance.integers(len(styles)))], chance)
        types = observation.entities[:, EntityFeature.UNIT_TYPE]
        is_resource = types_of_kind("mineral")[types] | types_of_kind("geyser")[types]
        resources = observation.entities[is_resource]
        self._ground = Ground(self._game_map, resources, _home(observation, self._game_map))
        return self._ground


def _home(observation: Observation, game_map: GameMap) -> Place:
    """Return where the player started: the building that is farthest from the enemy's start."""
    entities = observation.entities
    own = entities[entities[:, EntityFeature.ALLIANCE] == Alliance.SELF]
    is_hall = own[:, EntityFeature.IDEAL_HARVESTERS] > 8
    halls = own[is_hall] if is_hall.any() else own
    if not len(halls):
        return game_map.width / 2, game_map.height / 2
    places = halls[:, [EntityFeature.X, EntityFeature.Y]].astype(np.float64) / SUBCELLS
    enemy = np.array(game_map.starts[0] if game_map.starts else (0.0, 0.0))
    x, y = places[int(((places - enemy) ** 2).sum(1).argmax())].tolist()
    return x, y
