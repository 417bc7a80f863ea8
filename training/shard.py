"""A game on disk: one Parquet file, one row for each player, nothing pickled.

Columns are lists of the narrowest integers that hold them, loops stored as differences from the
step that they belong to, all compressed. The file's metadata names the interface it was written
for; another is refused.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from envs.game_timeline import GameTimeline
from envs.interface import INTERFACE_VERSION, EntityFeature, Knowledge, ScalarFeature
from envs.timeline import STATISTICS, Timeline
from envs.unit_rows import RowColumn
from training.whole_files import whole_file

AnyTimeline = Timeline | GameTimeline


class _Matrix(NamedTuple):
    """An array of a timeline that is stored column by column."""

    prefix: str  # of the columns' names
    columns: tuple[IntEnum, ...]
    loops: tuple[IntEnum, ...] = ()  # those that hold loops, as differences from their step's


_MATRICES: dict[type[AnyTimeline], dict[str, _Matrix]] = {
    Timeline: {
        "change_row": _Matrix(
            "change",
            tuple(RowColumn),
            (
                RowColumn.SINCE,
                RowColumn.UNTIL,
                RowColumn.CERTAIN,
                RowColumn.BUILD_START,
                RowColumn.LAST_ORDER_LOOP,
            ),
        ),
        "statistics": _Matrix("statistics", STATISTICS),
    },
    GameTimeline: {
        "change_row": _Matrix(
            "change",
            tuple(EntityFeature),
            (EntityFeature.POSITION_AGE, EntityFeature.LAST_ORDER_AGE),
        ),
        "scalars": _Matrix("scalar", tuple(ScalarFeature)),
    },
}
_COMPRESSION_LEVEL = 3
# Damaged pages may unpack all the same, to columns that are empty or do not fit one another.
_DAMAGE = (OSError, pa.ArrowException, AttributeError, LookupError, TypeError, ValueError)


class PlayerFacts(NamedTuple):
    """What is kept of a player beside the steps; for later use and for choosing games."""

    player: int
    name: str
    result: int | None
    league: int | None
    log: str  # what happened, a line each
    chat: str  # what everybody wrote, a line each


def write_shard(
    path: Path,
    timelines: Sequence[AnyTimeline],
    facts: Sequence[PlayerFacts],
    game: dict[str, Any],
    knowledge: Knowledge,
) -> None:
    """Write a game; the file appears whole or not at all.

    Args:
        path: of the new file.
        timelines: of the players.
        facts: of the players, in the same order.
        game: what is known of the game, as JSON values.
        knowledge: what the steps' source could know.
    """
    rows = [
        {**_columns_of(timeline), **fact._asdict()}
        for timeline, fact in zip(timelines, facts, strict=True)
    ]
    arrays = {name: _list_array([row[name] for row in rows]) for name in rows[0]}
    metadata = {
        "interface_version": str(INTERFACE_VERSION),
        "knowledge": knowledge.value,
        "game": json.dumps(game, ensure_ascii=False, sort_keys=True),
    }
    table = pa.table(arrays).replace_schema_metadata(metadata)
    with whole_file(path) as unfinished:
        pq.write_table(
            table,
            unfinished,
            compression="zstd",
            compression_level=_COMPRESSION_LEVEL,
            row_group_size=1,
            use_dictionary=False,
            write_statistics=False,
        )


def read_timeline(path: Path, row: int) -> AnyTimeline:
    """Read one player's game.

    Args:
        path: of the shard.
        row: 0 or 1, which of its players.

    Raises:
        FileNotFoundError: there is no such shard.
        ValueError: it is damaged, or was written for another version of the interface.
    """
    with pa.OSFile(str(path)) as content:
        with _refused_if_damaged(path):
            file = pq.ParquetFile(content)
            schema = file.schema_arrow
        _check_version(path, schema.metadata or {})
        is_of_game = (schema.metadata or {}).get(b"knowledge") == Knowledge.GAME.value.encode()
        kind = GameTimeline if is_of_game else Timeline
        names = [name for name in schema.names if name not in PlayerFacts._fields]
        with _refused_if_damaged(path):
            return _timeline_from(file.read_row_group(row, columns=names), kind)


def read_facts(path: Path, row: int) -> PlayerFacts:
    """Read what is kept of one player beside the steps."""
    table = pq.ParquetFile(path).read_row_group(row, columns=list(PlayerFacts._fields))
    return PlayerFacts(**table.to_pylist()[0])


@contextmanager
def _refused_if_damaged(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise ValueError(f"{path} is damaged ({error}): decode its replay again") from error


def _check_version(path: Path, metadata: dict[bytes, bytes]) -> None:
    version = metadata.get(b"interface_version", b"none").decode(errors="replace")
    if version != str(INTERFACE_VERSION):
        raise ValueError(
            f"{path} must have interface version {INTERFACE_VERSION}, it has {version}: "
            "decode the replays again"
        )


def _columns_of(timeline: AnyTimeline) -> dict[str, Any]:
    """Return a timeline as columns, in the form in which they are stored."""
    columns: dict[str, Any] = timeline._asdict()
    step_of_change = np.repeat(timeline.step_loop, timeline.step_num_changes)
    for name, matrix in _MATRICES[type(timeline)].items():
        values = columns.pop(name)
        for i, column in enumerate(matrix.columns):
            stored = values[:, i] - step_of_change if column in matrix.loops else values[:, i]
            columns[f"{matrix.prefix}_{column.name.lower()}"] = stored
    columns["step_loop"] = np.diff(timeline.step_loop, prepend=0)
    return columns


def _timeline_from(table: pa.Table, kind: type[AnyTimeline]) -> AnyTimeline:
    columns: dict[str, Any] = {}
    for name in table.column_names:
        value = table.column(name)[0]
        columns[name] = (
            value.values.to_numpy() if isinstance(value, pa.ListScalar) else value.as_py()
        )
    step_loop = np.cumsum(columns["step_loop"], dtype=np.int32)
    step_of_change = np.repeat(step_loop, columns["step_num_changes"].astype(np.int32))
    for name, matrix in _MATRICES[kind].items():
        parts = [columns.pop(f"{matrix.prefix}_{column.name.lower()}") for column in matrix.columns]
        values = np.stack(parts, axis=1).astype(np.int32)
        for i, column in enumerate(matrix.columns):
            if column in matrix.loops:
                values[:, i] += step_of_change
        columns[name] = values
    columns["step_loop"] = step_loop
    for name, dtype in _dtypes(kind).items():
        columns[name] = columns[name].astype(dtype, copy=False)
    return kind(**columns)


def _dtypes(kind: type[AnyTimeline]) -> dict[str, Any]:
    """Return the element type of each array of a timeline, from its annotations."""
    return {
        name: annotation.__args__[1].__args__[0]
        for name, annotation in kind.__annotations__.items()
        if hasattr(annotation, "__args__")
        and len(annotation.__args__) == 2
        and hasattr(annotation.__args__[1], "__args__")
    }


def _list_array(values: list[Any]) -> pa.Array:
    """Return values as a column; arrays as lists of the narrowest integer that holds them."""
    if not isinstance(values[0], np.ndarray):
        return pa.array(values)
    arrays = [np.asarray(value) for value in values]
    low = min((int(a.min()) for a in arrays if a.size), default=0)
    high = max((int(a.max()) for a in arrays if a.size), default=0)
    dtype = next(
        t
        for t in (np.int8, np.int16, np.int32, np.int64)
        if np.iinfo(t).min <= low and high <= np.iinfo(t).max
    )
    offsets = np.cumsum([0, *(len(a) for a in arrays)], dtype=np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(np.concatenate(arrays).astype(dtype))
    )
