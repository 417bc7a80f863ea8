"""The heads that point at units: selected_units and target_unit.

Vinyals et al. 2019, supplementary ``detailed-architecture.txt``: each unit has a key, the
autoregressive embedding makes a query, and their dot products are the logits. Selecting is
recurrent: an LSTM carries the query from pick to pick, told the mean of the keys picked so far,
until it picks the end token, which has a learned key and stands in the last column.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from envs.interface import MAX_SELECTED, NUM_UNIT_TYPES, UNKNOWN
from policies.columns import SummedEmbeddings
from policies.config import HeadsConfig
from policies.distributions import Sampling, draw, log_probability, mask_logits


class DrawnSelection(NamedTuple):
    """Units in the order drawn, and how likely that order was, end token and all."""

    selected_units: Int[Tensor, "rows picks"]
    log_probability: Float[Tensor, " rows"]


class PointerQuery(nn.Module):
    """What to look for: the autoregressive embedding, and which types may take the action."""

    def __init__(self, config: HeadsConfig) -> None:
        super().__init__()
        self.choices = nn.Linear(config.autoregressive_width, config.argument_width)
        self.able_types = SummedEmbeddings(NUM_UNIT_TYPES, config.argument_width)

    def forward(
        self,
        autoregressive_embedding: Float[Tensor, "rows channels"],
        able_types: Bool[Tensor, "rows types"],
    ) -> Float[Tensor, "rows hidden_channels"]:
        """Return the query's hidden layer, before its ReLU."""
        able = self.able_types(able_types.to(autoregressive_embedding.dtype))
        return self.choices(autoregressive_embedding) + able


class TargetUnitHead(nn.Module):
    """At which unit."""

    def __init__(self, config: HeadsConfig, *, entity_width: int) -> None:
        super().__init__()
        self.keys = nn.Linear(entity_width, config.key_width)
        self.query = PointerQuery(config)
        self.query_output = nn.Linear(config.argument_width, config.key_width)

    def forward(
        self,
        autoregressive_embedding: Float[Tensor, "rows channels"],
        able_types: Bool[Tensor, "rows types"],
        entity_embeddings: Float[Tensor, "rows entities entity_channels"],
        mask: Bool[Tensor, "rows entities"],
    ) -> Float[Tensor, "rows entities"]:
        """Return the logits of the units, those outside ``mask`` forbidden."""
        hidden = self.query(autoregressive_embedding, able_types).relu()
        keys = self.keys(entity_embeddings)
        logits = keys @ self.query_output(hidden)[..., None] * keys.shape[-1] ** -0.5
        return mask_logits(logits.squeeze(-1), mask)


class SelectedUnitsHead(nn.Module):
    """Which units act; picks one after the other, never one twice, at least one."""

    def __init__(self, config: HeadsConfig, *, entity_width: int) -> None:
        super().__init__()
        self.keys = nn.Linear(entity_width, config.key_width)
        self.end_key = nn.Parameter(torch.randn(config.key_width) * config.key_width**-0.5)
        self.query = PointerQuery(config)
        self.feedback = nn.Linear(config.key_width, config.argument_width, bias=False)
        self.query_output = nn.Linear(config.argument_width, config.key_width)
        self.lstm = nn.LSTM(config.key_width, config.key_width, batch_first=True)
        self.embedding = nn.Linear(config.key_width, config.autoregressive_width)

    def keys_and_end(
        self, entity_embeddings: Float[Tensor, "rows entities channels"]
    ) -> Float[Tensor, "rows candidates key_channels"]:
        """Return the keys of the units and, last, of the end token."""
        keys = self.keys(entity_embeddings)
        end_key = self.end_key.to(keys.dtype).expand(len(keys), 1, -1)
        return torch.cat([keys, end_key], 1) * keys.shape[-1] ** -0.5

    def forward(
        self,
        autoregressive_embedding: Float[Tensor, "rows channels"],
        able_types: Bool[Tensor, "rows types"],
        keys: Float[Tensor, "rows candidates key_channels"],
        selectable: Bool[Tensor, "rows entities"],
        selected_units: Int[Tensor, "rows selected"],
    ) -> Float[Tensor, "rows picks candidates"]:
        """Return the logits of every pick, each after the picks given before it."""
        mask = _legal_picks(selectable, selected_units)
        if not len(keys):
            return keys.new_zeros(mask.shape, dtype=torch.float32)
        hidden = self.query(autoregressive_embedding, able_types)
        queries = self._queries(hidden, _picked_means(keys, selected_units), selected_units)
        return mask_logits(queries @ keys.mT, mask)

    def embed(
        self,
        keys: Float[Tensor, "rows candidates key_channels"],
        selected_units: Int[Tensor, "rows selected"],
    ) -> Float[Tensor, "rows channels"]:
        """Return what a selection adds to the autoregressive embedding; an empty one, zero."""
        mean = _picked_means(keys, selected_units)[:, -1]
        return self.embedding(mean) * (selected_units >= 0).any(-1, keepdim=True)

    def draw(
        self,
        autoregressive_embedding: Float[Tensor, "rows channels"],
        able_types: Bool[Tensor, "rows types"],
        keys: Float[Tensor, "rows candidates key_channels"],
        selectable: Bool[Tensor, "rows entities"],
        *,
        sampling: Sampling,
        temperature: float,
        generator: torch.Generator,
    ) -> DrawnSelection:
        """Return a selection, pick after pick until all rows have picked their end token."""
        end, row = selectable.shape[1], torch.arange(len(keys), device=keys.device)
        available = F.pad(selectable, (0, 1), value=False)
        goes_on = selectable.any(-1)
        hidden = self.query(autoregressive_embedding, able_types)
        summed = memory = cell = keys.new_zeros(len(keys), keys.shape[-1])
        logits, choices, going = [], [], []
        for pick in range(MAX_SELECTED):
            query = self._query_input(hidden, summed / max(pick, 1))
            memory, cell = torch.lstm_cell(query, (memory, cell), *self._lstm_weights())
            logits.append(mask_logits((keys @ memory[..., None]).squeeze(-1), available))
            choice = draw(
                logits[-1], sampling=sampling, temperature=temperature, generator=generator
            )
            choices.append(choice)
            going.append(goes_on)
            goes_on = goes_on & (choice != end)
            if not goes_on.any():
                break
            summed = summed + keys[row, choice]
            available[row, choice] = False
            available[:, end] = True
        chosen, counts = torch.stack(choices, -1), torch.stack(going, -1)
        scores = log_probability(torch.stack(logits, 1), chosen) * counts
        return DrawnSelection(chosen.where(counts & (chosen != end), UNKNOWN), scores.sum(-1))

    def _queries(
        self,
        hidden: Float[Tensor, "rows hidden_channels"],
        means: Float[Tensor, "rows picks key_channels"],
        selected_units: Int[Tensor, "rows selected"],
    ) -> Float[Tensor, "rows picks key_channels"]:
        """Return the queries of all picks, computing only those up to each row's end token."""
        lengths = (selected_units >= 0).sum(-1).cpu() + 1
        packed = pack_padded_sequence(means, lengths, batch_first=True, enforce_sorted=False)
        row = torch.arange(len(hidden), device=hidden.device)[:, None].expand(means.shape[:2])
        rows = pack_padded_sequence(row, lengths, batch_first=True, enforce_sorted=False).data
        inputs = self._query_input(hidden.index_select(0, rows), packed.data)
        queries, _ = self.lstm(PackedSequence(inputs, *packed[1:]))
        return pad_packed_sequence(queries, batch_first=True, total_length=means.shape[1])[0]

    def _query_input(
        self,
        hidden: Float[Tensor, "picks hidden_channels"],
        mean: Float[Tensor, "picks key_channels"],
    ) -> Float[Tensor, "picks key_channels"]:
        return self.query_output((hidden + self.feedback(mean)).relu())

    def _lstm_weights(self) -> list[nn.Parameter]:
        """Return the LSTM's weights in the order in which ``lstm_cell`` takes them."""
        return self.lstm.all_weights[0]


def _picked_means(
    keys: Float[Tensor, "rows candidates key_channels"],
    selected_units: Int[Tensor, "rows selected"],
) -> Float[Tensor, "rows picks key_channels"]:
    """Return for each pick the mean of the keys picked before it; before the first, zero."""
    index = selected_units.clamp(min=0)[..., None].expand(-1, -1, keys.shape[-1])
    picked = keys.gather(1, index) * (selected_units >= 0)[..., None]
    counts = (selected_units >= 0).cumsum(-1).clamp(min=1)[..., None]
    return F.pad(picked.cumsum(1) / counts, (0, 0, 1, 0))


def _legal_picks(
    selectable: Bool[Tensor, "rows entities"], selected_units: Int[Tensor, "rows selected"]
) -> Bool[Tensor, "rows picks candidates"]:
    """Return what may be picked when, the end token in the last column.

    A unit may be picked until it has been; the end token from the second pick on; after the
    end, or after ``MAX_SELECTED`` units, nothing more but, there, the end token.
    """
    count = (selected_units >= 0).sum(-1, keepdim=True)
    last_legal = count.clamp(max=MAX_SELECTED - 1).expand_as(selectable)
    last_legal = torch.cat([last_legal.masked_fill(~selectable, -1), count], 1)
    picks = torch.arange(selected_units.shape[1] + 1, device=selectable.device)
    picked_at = picks[:-1].where(selected_units >= 0, MAX_SELECTED)
    picked = selected_units.where(selected_units >= 0, selectable.shape[1])
    last_legal = last_legal.scatter_reduce(1, picked, picked_at, "amin")
    mask = picks[:, None] <= last_legal[:, None]
    mask[:, 0, -1] = False
    return mask
