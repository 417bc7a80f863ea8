"""Columns of integers -> one vector: the sum of what each column has to say.

A class is looked up, a number goes through a linear layer beside a bit that says whether it is
known, and a position is written in binary with a few Fourier features. That equals one linear
layer on the concatenation of all one-hot and numeric features (as in AlphaStar Unplugged,
arXiv:2308.03526), without ever building it: rows of all columns stand in one table, columns with
few classes are looked up jointly, and one fused look-up sums them.
"""

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from envs.interface import SUBCELLS, WORLD_SIZE, Encoding, Feature, Knowledge

MAX_JOINT_ROWS = 512
FOURIER_BANDS = 3

Column = TypeVar("Column", bound=IntEnum)


def known_columns(
    features: Mapping[Column, Feature], knowledge: Knowledge
) -> dict[Column, Feature]:
    """Return the columns that a source with this knowledge tells."""
    if knowledge is Knowledge.GAME:
        return dict(features)
    return {column: feature for column, feature in features.items() if feature.known_by_events}


class ColumnEmbedding(nn.Module):
    """Embeds rows of integers; ``UNKNOWN`` is a class, or a bit, of its own."""

    lookup_columns: Int[Tensor, " lookups"]
    is_root: Bool[Tensor, "lookups 1"]
    is_position: Bool[Tensor, "lookups 1"]
    last_class: Int[Tensor, "lookups 1"]
    strides: Int[Tensor, "lookups 1"]
    group_offsets: Int[Tensor, " groups"]
    number_columns: Int[Tensor, " numbers"]
    number_scales: Float[Tensor, "numbers 1"]
    is_logarithm: Bool[Tensor, "numbers 1"]
    is_fraction: Bool[Tensor, "numbers 1"]

    def __init__(
        self,
        columns: Mapping[Column, Feature],
        *,
        width: int,
        facts: Mapping[Column, Float[Tensor, "classes facts"]],
    ) -> None:
        """Prepare to read ``columns``.

        Args:
            columns: those that are read; all others cannot matter.
            width: of the vectors.
            facts: what is known of each class of a column, besides what is learned of it.
        """
        super().__init__()
        self.groups = _grouped(_lookups(columns))
        self.lookups = [lookup for group in self.groups for lookup in group]
        self.numbers = [(c, f) for c, f in columns.items() if f.encoding in _NUMBERS]

        spread = max(1, len(columns)) ** -0.5
        self.learned = nn.ParameterDict()
        self.fact_weights = nn.ParameterDict()
        facts_by_name = {column.name: table for column, table in facts.items()}
        for lookup in self.lookups:
            known = facts_by_name.get(lookup.column.name)
            if lookup.encoding is Encoding.POSITION:
                known = _position_facts()
            else:
                rows = torch.randn(lookup.rows, width) * spread
                self.learned[lookup.column.name] = nn.Parameter(rows)
            if known is not None:
                unknown_first = F.pad(known.float(), (0, 0, 1, 0))
                self.register_buffer(_facts_name(lookup), unknown_first, persistent=False)
                weights = torch.randn(known.shape[1], width) * spread * known.shape[1] ** -0.5
                self.fact_weights[lookup.column.name] = nn.Parameter(weights)
        if self.numbers:
            weights = torch.randn(2 * len(self.numbers), width) * spread
            self.number_weights = nn.Parameter(weights)
        self._register_constants()

    def forward(self, values: Int[Tensor, "*rows columns"]) -> Float[Tensor, "*rows channels"]:
        """Return the sum of the columns' embeddings for each row."""
        flat = values.flatten(0, -2)
        embedded = summed_rows(self._table(), self._table_rows(flat))
        if self.numbers:
            embedded = embedded + self._number_features(flat) @ self.number_weights
        return embedded.unflatten(0, values.shape[:-1])

    def _table(self) -> Float[Tensor, "rows channels"]:
        """Return the rows of all groups; a joint row is the sum of its members' rows."""
        tables = []
        for group in self.groups:
            joint = self._rows_of(group[0])
            for lookup in group[1:]:
                joint = (joint[:, None] + self._rows_of(lookup)[None]).flatten(0, 1)
            tables.append(joint)
        return torch.cat(tables)

    def _rows_of(self, lookup: "_Lookup") -> Float[Tensor, "rows channels"]:
        """Return the embeddings of a column's classes, unknown first."""
        name = lookup.column.name
        if name not in self.fact_weights:
            return self.learned[name]
        rows = self.get_buffer(_facts_name(lookup)) @ self.fact_weights[name]
        return rows + self.learned[name] if name in self.learned else rows

    def _table_rows(self, values: Int[Tensor, "rows columns"]) -> Int[Tensor, "rows groups"]:
        """Return for each row of values the rows of the table that it sums."""
        columns = values.index_select(1, self.lookup_columns).mT.contiguous().int()
        roots = columns.clamp(min=0).float().sqrt().int()
        columns = torch.where(self.is_root & (columns >= 0), roots, columns)
        columns = torch.where(self.is_position & (columns >= 0), columns // SUBCELLS, columns)
        classes = (columns.clamp(min=-1).minimum(self.last_class) + 1) * self.strides
        sizes = [len(group) for group in self.groups]
        groups = [members.sum(0, dtype=torch.int32) for members in classes.split(sizes)]
        return torch.stack(groups, -1) + self.group_offsets

    def _number_features(
        self, values: Int[Tensor, "rows columns"]
    ) -> Float[Tensor, "rows numbers"]:
        raw = values.index_select(1, self.number_columns).mT.contiguous().float()
        known = raw >= 0
        ratios = raw * self.number_scales
        logarithms = raw.clamp(min=0).log1p() * self.number_scales
        fractions = torch.remainder(raw, SUBCELLS) / SUBCELLS - 0.5
        read = torch.where(self.is_logarithm, logarithms, ratios)
        read = torch.where(self.is_fraction, fractions, read)
        return torch.cat([read * known, known.float()]).mT

    def _register_constants(self) -> None:
        strides = [_stride(group, i) for group in self.groups for i in range(len(group))]
        rows = [math.prod(lookup.rows for lookup in group) for group in self.groups]
        offsets = [sum(rows[:i]) for i in range(len(rows))]
        encodings = [lookup.encoding for lookup in self.lookups]
        number_encodings = [feature.encoding for _, feature in self.numbers]
        constants = {
            "lookup_columns": torch.tensor([int(lookup.column) for lookup in self.lookups]),
            "is_root": _column([e is Encoding.SQRT_CLASSES for e in encodings]),
            "is_position": _column([e is Encoding.POSITION for e in encodings]),
            "last_class": _column([lookup.rows - 2 for lookup in self.lookups]).int(),
            "strides": _column(strides).int(),
            "group_offsets": torch.tensor(offsets, dtype=torch.int32),
            "number_columns": torch.tensor([int(c) for c, _ in self.numbers], dtype=torch.long),
            "number_scales": _column([_scale(f) for _, f in self.numbers]),
            "is_logarithm": _column([e is Encoding.LOGARITHM for e in number_encodings]),
            "is_fraction": _column([e is Encoding.POSITION for e in number_encodings]),
        }
        for name, constant in constants.items():
            self.register_buffer(name, constant, persistent=False)


class SummedEmbeddings(nn.Module):
    """One embedding for each thing that there may be some of, times how much, summed."""

    def __init__(self, things: int, width: int) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(torch.empty(things, width))
        nn.init.uniform_(self.embeddings, -(things**-0.5), things**-0.5)

    def forward(self, amounts: Float[Tensor, "batch things"]) -> Float[Tensor, "batch channels"]:
        """Return the sums."""
        return amounts @ self.embeddings


def summed_rows(
    table: Float[Tensor, "rows channels"], rows: Int[Tensor, "places groups"]
) -> Float[Tensor, "places channels"]:
    """Return ``table[rows].sum(1)``, its gradient much faster on a CPU than PyTorch's own."""
    return _SummedRows.apply(table, rows)  # type: ignore[no-untyped-call] # as torch has it


class _Lookup(NamedTuple):
    column: IntEnum
    encoding: Encoding
    rows: int  # classes and, before them, unknown


_NUMBERS = (Encoding.RATIO, Encoding.LOGARITHM, Encoding.POSITION)  # a position's is its fraction


class _SummedRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.table_shape = table.shape
        return F.embedding_bag(rows, table, mode="sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        table_gradient = gradient.new_zeros(ctx.table_shape)
        for column in range(rows.shape[1]):
            table_gradient.index_add_(0, rows[:, column], gradient)
        return table_gradient, None


def _lookups(columns: Mapping[Column, Feature]) -> list[_Lookup]:
    lookups = []
    for column, feature in columns.items():
        if feature.encoding is Encoding.SQRT_CLASSES:
            lookups.append(_Lookup(column, feature.encoding, math.isqrt(feature.size) + 2))
        elif feature.encoding in (Encoding.CLASSES, Encoding.POSITION):
            lookups.append(_Lookup(column, feature.encoding, feature.size + 1))
    return lookups


def _grouped(lookups: list[_Lookup]) -> list[list[_Lookup]]:
    """Put the smallest columns together while their joint rows stay few."""
    groups: list[list[_Lookup]] = []
    for lookup in sorted(lookups, key=lambda lookup: lookup.rows):
        joint_rows = math.prod(member.rows for member in groups[-1]) if groups else math.inf
        if joint_rows * lookup.rows <= MAX_JOINT_ROWS:
            groups[-1].append(lookup)
        else:
            groups.append([lookup])
    return groups


def _stride(group: list[_Lookup], i: int) -> int:
    return math.prod(lookup.rows for lookup in group[i + 1 :])


def _scale(feature: Feature) -> float:
    if feature.encoding is Encoding.LOGARITHM:
        return 1 / math.log1p(feature.size)
    return 1 / feature.size


def _facts_name(lookup: _Lookup) -> str:
    return f"facts_of_{lookup.column.name.lower()}"


def _position_facts() -> Float[Tensor, "cells facts"]:
    """Return for each whole cell: one, its bits, and where it lies, linearly and as waves."""
    cells = torch.arange(WORLD_SIZE)
    bits = (cells[:, None] >> torch.arange(8)) & 1
    place = (cells + 0.5) / WORLD_SIZE * 2 - 1
    waves = place[:, None] * math.pi * 2.0 ** torch.arange(FOURIER_BANDS)
    known = torch.ones(WORLD_SIZE, 1)
    return torch.cat([known, bits.float(), place[:, None], waves.sin(), waves.cos()], 1)


def _column(values: list[Any]) -> Tensor:
    return torch.tensor(values)[:, None]
