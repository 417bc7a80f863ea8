"""Small observations, actions and games for any test."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from envs.interface import (
    BUILD_ORDER_LENGTH,
    INTERFACE_VERSION,
    NUM_UNIT_TYPES,
    NUM_UPGRADES,
    SUBCELLS,
    UNKNOWN,
    WORLD_SIZE,
    Action,
    Alliance,
    DisplayType,
    EntityFeature,
    Knowledge,
    MapPlane,
    Observation,
    Race,
    ScalarFeature,
    raw_functions,
    read_table,
)
from envs.timeline import STATISTICS, StepFlag, Timeline
from envs.unit_rows import RowColumn
from policies.config import (
    HeadsConfig,
    LstmConfig,
    PerceiverConfig,
    PolicyConfig,
    ScalarConfig,
    SpatialConfig,
    ValueConfig,
)
from training.shard import PlayerFacts, write_shard

PLANE_SIZE = 64
NO_SELECTION = np.zeros(0, np.int16)
NO_OP = Action(0, 10, UNKNOWN, NO_SELECTION, UNKNOWN, (UNKNOWN, UNKNOWN))


@cache
def action_type_of_kind(kind: str) -> int:
    """Return a general action type: quick, point, unit or autocast."""
    for i, function in enumerate(raw_functions()):
        if function.kind == kind and function.general_ability_id == 0:
            return i
    raise ValueError(f"no raw function of kind {kind}")


@cache
def unit_name(unit_type: int) -> str:
    """Return what the game's catalogue calls a unit type; nothing for any that it lacks."""
    return read_table("unit_types.csv")[unit_type]["name"]


def make_observation(
    generator: np.random.Generator,
    *,
    num_own: int = 4,
    num_others: int = 3,
    plane_size: int = PLANE_SIZE,
    loop: int = 0,
) -> Observation:
    """Return an observation of units of no listed type, which can be told to do anything."""
    count = num_own + num_others
    entities = np.full((count, len(EntityFeature)), UNKNOWN, np.int16)
    entities[:, EntityFeature.UNIT_TYPE] = 0
    entities[:, EntityFeature.ALLIANCE] = Alliance.ENEMY
    entities[:num_own, EntityFeature.ALLIANCE] = Alliance.SELF
    positions = generator.integers(0, WORLD_SIZE * SUBCELLS, (count, 2))
    entities[:, [EntityFeature.X, EntityFeature.Y]] = positions
    entities[:, EntityFeature.BUILD_PROGRESS] = generator.integers(0, 101, count)
    scalars = np.full(len(ScalarFeature), UNKNOWN, np.int32)
    scalars[ScalarFeature.GAME_LOOP] = loop
    scalars[ScalarFeature.MINERALS] = generator.integers(0, 1000)
    return Observation(
        entities=entities,
        map_planes=generator.integers(0, 2, (len(MapPlane), plane_size, plane_size), np.uint8),
        scalars=scalars,
        upgrades=np.zeros(NUM_UPGRADES, np.int8),
        build_order=np.full(BUILD_ORDER_LENGTH, UNKNOWN, np.int16),
        cumulative_statistics=np.full(NUM_UNIT_TYPES + NUM_UPGRADES, UNKNOWN, np.int8),
    )


def make_action(generator: np.random.Generator, *, num_own: int = 4, num_others: int = 3) -> Action:
    """Return an action that ``make_observation`` allows, of any kind, arguments and all."""
    kind = ["no_op", "quick", "point", "unit"][generator.integers(4)]
    delay = int(generator.integers(1, 128))
    if kind == "no_op":
        return NO_OP._replace(delay=delay)
    num_selected = int(generator.integers(1, num_own + 1))
    location = generator.integers(0, WORLD_SIZE * SUBCELLS, 2)
    return Action(
        action_type=action_type_of_kind(kind),
        delay=delay,
        queued=int(generator.integers(2)),
        selected_units=generator.permutation(num_own)[:num_selected].astype(np.int16),
        target_unit=int(generator.integers(num_own + num_others)) if kind == "unit" else UNKNOWN,
        target_location=(
            (int(location[0]), int(location[1])) if kind == "point" else (UNKNOWN, UNKNOWN)
        ),
    )


def make_timeline(
    seed: int = 0, *, num_steps: int = 20, num_own: int = 4, num_others: int = 3
) -> Timeline:
    """Return a game of random steps: every command mapped and clean, every no_op synthetic.

    All units are there from the start, and one of the player's moves before each step.
    """
    generator = np.random.default_rng(seed)
    actions = [
        make_action(generator, num_own=num_own, num_others=num_others) for _ in range(num_steps)
    ]
    return timeline_of_actions(actions, seed=seed, num_own=num_own, num_others=num_others)


def timeline_of_actions(
    actions: Sequence[Action], *, seed: int = 0, num_own: int = 4, num_others: int = 3
) -> Timeline:
    """Return a game in which this is done; ``no_op`` is synthetic, the rest mapped and clean."""
    generator = np.random.default_rng(seed)
    num_units, num_steps = num_own + num_others, len(actions)
    loops = np.cumsum([0] + [action.delay for action in actions[:-1]])
    moves = [_unit_row(generator, Alliance.SELF, int(loop)) for loop in loops[1:]]
    alliances = [Alliance.SELF] * num_own + [Alliance.ENEMY] * num_others
    first = [_unit_row(generator, alliance, 0) for alliance in alliances]
    moved = [int(generator.integers(num_own)) for _ in moves]
    commanded = int(StepFlag.CLEAN | StepFlag.MAPPED | StepFlag.PLAUSIBLE)
    flags = [commanded if action.action_type else int(StepFlag.SYNTHETIC) for action in actions]
    nothing = np.zeros(0, np.int32)
    return Timeline(
        race=int(Race.TERRAN),
        opponent_race=int(Race.ZERG),
        mmr=None,
        step_loop=loops.astype(np.int32),
        step_action_type=np.array([a.action_type for a in actions], np.int16),
        step_queued=np.array([a.queued for a in actions], np.int8),
        step_target_unit=np.array([a.target_unit for a in actions], np.int32),
        step_target_x=np.array([a.target_location[0] for a in actions], np.int16),
        step_target_y=np.array([a.target_location[1] for a in actions], np.int16),
        step_flags=np.array(flags, np.int16),
        step_num_selected=np.array([len(a.selected_units) for a in actions], np.int32),
        step_num_changes=np.array([num_units] + [1] * (num_steps - 1), np.int32),
        selected=np.concatenate([a.selected_units for a in actions]).astype(np.int32),
        change_unit=np.array([*range(num_units), *moved], np.int32),
        change_row=np.array(first + moves, np.int32),
        statistics_loop=nothing,
        statistics=np.zeros((0, len(STATISTICS)), np.int32),
        upgrade_loop=nothing,
        upgrade=nothing.astype(np.int16),
        build_order=nothing.astype(np.int16),
        units_built=nothing.astype(np.int16),
        unit_tags=np.arange(num_units, dtype=np.int64),
    )


def small_policy_config() -> PolicyConfig:
    """Return a network as small as it gets, which reads what event streams tell."""
    return PolicyConfig(
        knowledge=Knowledge.EVENTS,
        entity_width=8,
        entity_encoder=PerceiverConfig(latents=2, latent_width=8, layers=1, heads=1),
        spatial=SpatialConfig(
            plane_size=8,
            plane_channels=2,
            scatter_channels=2,
            down_channels=(4,),
            blocks=1,
            width=8,
        ),
        scalar=ScalarConfig(width=8, context_width=8),
        core=LstmConfig(layers=1, width=16),
        heads=HeadsConfig(
            action_type_width=8,
            action_type_blocks=1,
            autoregressive_width=16,
            argument_width=8,
            key_width=4,
            location_size=8,
            location_channels=(4,),
        ),
        value=ValueConfig(width=8, blocks=1),
    )


def make_dataset(folder: Path, *, num_games: int = 10, num_steps: int = 20, seed: int = 0) -> Path:
    """Write a dataset of random games: a tenth of them for validation, a tenth for testing."""
    (folder / "shards").mkdir(parents=True)
    index = []
    for number in range(num_games):
        game_id = f"game{number:04d}"
        split = {0: "validation", 1: "test"}.get(number % 10, "train")
        timelines = [
            make_timeline(seed + 2 * number + row, num_steps=num_steps + number) for row in (0, 1)
        ]
        write_shard(
            folder / "shards" / f"{game_id}.parquet",
            (timelines[0], timelines[1]),
            tuple(PlayerFacts(row + 1, f"player {row}", None, None, "", "") for row in (0, 1)),
            {"map": "nowhere"},
            Knowledge.EVENTS,
        )
        shard = folder / "shards" / f"{game_id}.parquet"
        for row, timeline in enumerate(timelines):
            index.append(
                {
                    "game_id": game_id,
                    "row": row,
                    "shard": f"shards/{game_id}.parquet",
                    "shard_sha256": hashlib.sha256(shard.read_bytes()).hexdigest(),
                    "split": split,
                    "player": row + 1,
                    "race": timeline.race,
                    "opponent_race": timeline.opponent_race,
                    "steps": timeline.num_steps,
                }
            )
    pq.write_table(pa.Table.from_pylist(index), folder / "index.parquet")
    header = {"interface_version": INTERFACE_VERSION, "knowledge": Knowledge.EVENTS.value}
    (folder / "dataset.json").write_text(json.dumps(header))
    return folder


def _unit_row(generator: np.random.Generator, alliance: Alliance, loop: int) -> list[int]:
    """Return a unit of no listed type that stands somewhere."""
    row = [0] * len(RowColumn)
    row[RowColumn.ALLIANCE] = alliance
    row[RowColumn.DISPLAY_TYPE] = DisplayType.VISIBLE
    row[RowColumn.X], row[RowColumn.Y] = generator.integers(0, WORLD_SIZE * SUBCELLS, 2)
    row[RowColumn.SINCE] = row[RowColumn.UNTIL] = row[RowColumn.CERTAIN] = loop
    row[RowColumn.LAST_ORDER] = UNKNOWN
    return row
