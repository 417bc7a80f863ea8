"""A picture of a game on the engine, as one player sees it: ``python -m training.engine_picture``.

Two of the engine's computers play for some minutes; what the first of them is told through the
API is drawn: the ground by its height, creep, units by owner and size, and the fog over it all.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch, Rectangle
from numpy.typing import NDArray
from s2clientprotocol import sc2api_pb2 as sc_pb

from envs.engine.layout import Trait
from envs.engine.match import Match, PlayerKind, PlayerSetup
from envs.engine.observe import Observer
from envs.engine.terrain import GameMap, map_bytes, read_map
from envs.engine.unit_tables import unit_tables
from envs.interface import LOOPS_PER_SECOND, Alliance, DisplayType, Visibility
from envs.wire import WireObservation, decode_observation, picture, pysc2_pixels
from envs.wire_columns import Image, PlayerColumn, UnitColumn, UnitMeasure
from training.engine_games import SMALL_MAP, TERRAN, VERY_HARD, ZERG
from training.whole_files import whole_file

Colours = NDArray[np.float64]
"""Red, green and blue from 0 to 1, by row and column."""

_PLAYER = 1
_LOW, _HIGH = np.array([0.33, 0.29, 0.25]), np.array([0.78, 0.73, 0.62])
_CREEP = np.array([0.42, 0.22, 0.46])
_CLIFF_SHARE, _CREEP_SHARE = 0.45, 0.55
_FOG = {Visibility.HIDDEN: 0.35, Visibility.FOGGED: 0.65}  # what is left of the light
_MINERALS, _GEYSERS = (146, 147, 341, 483), (342, 344)
_OWNERS = {
    "own": (Alliance.SELF, "#2f6fdb"),
    "enemy": (Alliance.ENEMY, "#d8402f"),
    "neutral": (Alliance.NEUTRAL, "#8d8d8d"),
}


@dataclass(frozen=True, kw_only=True)
class PictureConfig:
    """Draw a game on the engine as one player sees it."""

    out: Path = Path("docs/engine.png")
    map_path: str = SMALL_MAP
    minutes: float = 8.5  # of the game before the picture
    seed: int = 5


def main() -> None:
    """Draw the picture that the options ask for."""
    run(tyro.cli(PictureConfig, prog="python -m training.engine_picture"))


def run(config: PictureConfig) -> None:
    """Let two computers play, and draw what the first one sees.

    Raises:
        ValueError: there is no such map.
    """
    game_map = read_map(map_bytes(config.map_path))
    players = [
        PlayerSetup(kind=PlayerKind.COMPUTER, race=race, difficulty=VERY_HARD)
        for race in (TERRAN, ZERG)
    ]
    match = Match(game_map, players, seed=config.seed)
    match.advance(round(config.minutes * 60 * LOOPS_PER_SECOND))
    observer = Observer(match, _PLAYER, sc_pb.InterfaceOptions(raw=True, score=True))
    draw_frame(observer.observation(), game_map, config.out)


def draw_frame(data: bytes, game_map: GameMap, path: Path) -> None:
    """Draw a serialized ``ResponseObservation``.

    Args:
        data: with raw units and the state of the map.
        game_map: the map that it is played on.
        path: where to; a PNG file.
    """
    width, height = game_map.width, game_map.height
    observation = decode_observation(data, pysc2_pixels((width, height)))
    creep = picture(data, observation, Image.CREEP)
    visibility = picture(data, observation, Image.VISIBILITY)
    if creep is None or visibility is None:
        raise ValueError("an observation with the state of the map is needed, this one has none")
    left, bottom, right, top = game_map.playable
    figure = Figure(figsize=(9, 9 * (top - bottom) / (right - left) + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    ground = ground_colours(game_map, creep, visibility)
    axes.imshow(ground, origin="lower", extent=(0, width, 0, height))
    _draw_units(axes, observation)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    axes.set_title(_title(game_map, observation))
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=100, bbox_inches="tight")


def ground_colours(
    game_map: GameMap, creep: NDArray[np.generic], visibility: NDArray[np.generic]
) -> Colours:
    """Return the colours of the ground: by height, cliffs darker, then creep, then fog."""
    height = game_map.terrain_height.astype(np.float64)
    share = (height - height.min()) / max(float(np.ptp(height)), 1.0)
    colours = _LOW + share[..., None] * (_HIGH - _LOW)
    colours[game_map.pathable == 0] *= _CLIFF_SHARE
    colours[creep != 0] += _CREEP_SHARE * (_CREEP - colours[creep != 0])
    for seen, light in _FOG.items():
        colours[visibility == int(seen)] *= light
    return np.clip(colours, 0.0, 1.0)


def _draw_units(axes: Axes, observation: WireObservation) -> None:
    """Draw units as circles of their size and buildings as squares; what is remembered is paler."""
    units, measures = observation.units, observation.measures
    kind = units[:, UnitColumn.UNIT_TYPE]
    is_resource = np.isin(kind, _MINERALS + _GEYSERS)
    groups = {
        "minerals": (np.isin(kind, _MINERALS), "#54c4d6"),
        "gas": (np.isin(kind, _GEYSERS), "#4fae5b"),
    }
    for name, (alliance, colour) in _OWNERS.items():
        belongs = units[:, UnitColumn.ALLIANCE] == int(alliance)
        groups[name] = belongs & ~is_resource, colour
    is_building = np.isin(kind, _building_ids())
    remembered = units[:, UnitColumn.DISPLAY_TYPE] == int(DisplayType.SNAPSHOT)
    for name, (chosen, colour) in groups.items():
        for mask, alpha in ((chosen & ~remembered, 0.95), (chosen & remembered, 0.5)):
            shapes = [
                _shape(
                    row[UnitMeasure.X],
                    row[UnitMeasure.Y],
                    row[UnitMeasure.RADIUS],
                    is_square=square,
                )
                for row, square in zip(
                    measures[mask].tolist(), is_building[mask].tolist(), strict=True
                )
            ]
            if shapes:
                axes.add_collection(
                    PatchCollection(
                        shapes, alpha=alpha, facecolor=colour, edgecolor="#1a1a1a", linewidth=0.4
                    )
                )
        axes.plot([], [], "o", color=colour, label=name)
    axes.plot([], [], "s", color=tuple(_CREEP), label="creep")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(groups) + 1, frameon=False)


def _shape(x: float, y: float, radius: float, *, is_square: bool) -> Patch:
    if is_square:
        return Rectangle((x - radius, y - radius), 2 * radius, 2 * radius)
    return Circle((x, y), max(radius, 0.3))


def _building_ids() -> list[int]:
    tables = unit_tables()
    rows = np.flatnonzero(tables.types["traits"] & Trait.STRUCTURE)
    ids: list[int] = tables.types["id"][rows].tolist()
    return ids


def _title(game_map: GameMap, observation: WireObservation) -> str:
    seconds = int(observation.game_loop / LOOPS_PER_SECOND)
    player = observation.player
    return (
        f"LatentStar's engine: {game_map.name}, {seconds // 60}:{seconds % 60:02d}, as player "
        f"{_PLAYER} sees it ({player[PlayerColumn.FOOD_USED]} of {player[PlayerColumn.FOOD_CAP]} "
        "supply)"
    )


if __name__ == "__main__":
    main()
