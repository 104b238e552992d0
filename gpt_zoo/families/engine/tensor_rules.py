"""What a row of a family's tensor table can be: how tensors of a folder and of our models belong together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gpt_zoo.config.attention.heads import HeadsAttentionConfig
from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.gpt import GPTConfig

if TYPE_CHECKING:
    from torch import Size, Tensor

When = Callable[[GPTConfig], bool]
"""Whether a row is for a layer, or for the model."""


class Placement(NamedTuple):
    """A row at one place of a model: `{i}` and `{e}` are filled in."""

    rule: TensorRule
    hub: tuple[str, ...]
    ours: tuple[str, ...]
    layer: GPTConfig


@dataclass(frozen=True, kw_only=True)
class TensorRule:
    """A row: which tensors it answers for, and both directions.

    In names, `{i}` stands for the number of a layer and `{e}` for that of an expert. A row is used where our
    model has all of its tensors: rows for biases, or for an untied head, stand in the table of every variant.
    """

    when: When | None = None
    """Restricts the row, where two would claim the same tensors."""

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names in the folder, and ours."""
        raise NotImplementedError

    def split(self, stored: list[Tensor], shapes: list[Size], layer: GPTConfig) -> list[Tensor]:
        """Ours of those in the folder; `shapes` are what ours must have."""
        raise NotImplementedError

    def join(self, parts: list[Tensor], layer: GPTConfig) -> list[Tensor]:
        """Those in the folder of ours: undoes `split`."""
        raise NotImplementedError

    def places(self, config: GPTConfig, existing: Collection[str]) -> Iterator[Placement]:
        """Where in a model the row is used.

        Args:
            existing: The names of our model's tensors.
        """
        hub, ours = self.names()
        in_layers = "{i}" in ours[0]
        for i in range(config.n_layers if in_layers else 1):
            layer = config.layer(i) if in_layers else config
            if self.when is not None and not self.when(layer):
                continue
            for e in range(_experts(layer) if "{e}" in ours[0] else 1):
                placed = tuple(name.format(i=i, e=e) for name in ours)
                if all(name in existing for name in placed):
                    yield Placement(self, tuple(name.format(i=i, e=e) for name in hub), placed, layer)


def _experts(layer: GPTConfig) -> int:
    part = layer.feed_forward
    return part.n_experts if isinstance(part, MixtureOfExpertsConfig) else 0


@dataclass(frozen=True)
class Same(TensorRule):
    """The same tensor under another name."""

    hub: str
    ours: str

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """One each."""
        return (self.hub,), (self.ours,)

    def split(self, stored: list[Tensor], shapes: list[Size], layer: GPTConfig) -> list[Tensor]:
        """As it is."""
        return stored

    def join(self, parts: list[Tensor], layer: GPTConfig) -> list[Tensor]:
        """As it is."""
        return parts


class Transposed(Same):
    """A weight that the folder has as (inputs, outputs), as GPT-2's Conv1D."""

    def split(self, stored: list[Tensor], shapes: list[Size], layer: GPTConfig) -> list[Tensor]:
        """Turned over."""
        return [stored[0].transpose(-2, -1)]

    def join(self, parts: list[Tensor], layer: GPTConfig) -> list[Tensor]:
        """Turned back."""
        return [parts[0].transpose(-2, -1)]


@dataclass(frozen=True)
class Shifted(Same):
    """A tensor that we have plus a number: a norm's scale which the folder has as its distance from 1."""

    by: float

    def split(self, stored: list[Tensor], shapes: list[Size], layer: GPTConfig) -> list[Tensor]:
        """Plus the number."""
        return [stored[0] + self.by]

    def join(self, parts: list[Tensor], layer: GPTConfig) -> list[Tensor]:
        """Minus the number."""
        return [parts[0] - self.by]


@dataclass(frozen=True)
class Fused(TensorRule):
    """Several maps of the same input in one tensor.

    Args:
        hub: Of the folder.
        ours: In the order in which they lie there.
        transposed: Whether the folder has (inputs, outputs).
        interleaved: Whether outputs lie in turns, the first of each map, then the second of each; else one
            map after the other.
        shares: In how many equal parts the maps are cut before; of each there lies the first part, one map
            after the other, then the second part of each.
    """

    hub: str
    ours: tuple[str, ...]
    transposed: bool = False
    interleaved: bool = False
    shares: int = 1

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """One there, several here."""
        return (self.hub,), self.ours

    def split(self, stored: list[Tensor], shapes: list[Size], layer: GPTConfig) -> list[Tensor]:
        """The maps, cut apart by the sizes that ours must have."""
        import torch

        whole = stored[0].transpose(-2, -1) if self.transposed else stored[0]
        if self.interleaved:
            return [whole[start :: len(self.ours)] for start in range(len(self.ours))]
        rows = [shape[0] // self.shares for shape in shapes]
        parts = torch.split(whole.reshape(self.shares, -1, *whole.shape[1:]), rows, dim=1)
        return [part.flatten(0, 1) for part in parts]

    def join(self, parts: list[Tensor], layer: GPTConfig) -> list[Tensor]:
        """The maps in one."""
        import torch

        if self.interleaved:
            whole = torch.stack(parts, dim=1).flatten(0, 1)
        else:
            shares = [part.reshape(self.shares, -1, *part.shape[1:]) for part in parts]
            whole = torch.cat(shares, dim=1).flatten(0, 1)
        return [whole.transpose(-2, -1) if self.transposed else whole]


@dataclass(frozen=True)
class FusedHeads(TensorRule):
    """Queries, keys and values in one tensor, head by head.

    For each key/value head there lie the query heads that it serves, then itself, then its values: with as
    many key/value heads as heads (GPT-NeoX, BLOOM) that is query, key, value of each head; with a single one
    (Falcon-7B) all queries, then key, then value.
    """

    hub: str
    ours: tuple[str, str, str]
    """Query, key, value."""

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """One there, three here."""
        return (self.hub,), self.ours

    def split(self, stored: list[Tensor], shapes: list[Size], layer: GPTConfig) -> list[Tensor]:
        """Queries, keys and values, each with its heads one after the other."""
        groups, head_dim = _groups(layer)
        served = layer.n_heads // groups
        heads = stored[0].reshape(groups, served + 2, head_dim, *stored[0].shape[1:])
        parts = (heads[:, :served], heads[:, served], heads[:, served + 1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def join(self, parts: list[Tensor], layer: GPTConfig) -> list[Tensor]:
        """Head by head."""
        import torch

        groups, head_dim = _groups(layer)
        heads = [part.reshape(groups, -1, head_dim, *part.shape[1:]) for part in parts]
        return [torch.cat(heads, dim=1).flatten(0, 2)]


QKV = ("blocks.{i}.attention.query", "blocks.{i}.attention.key", "blocks.{i}.attention.value")
GATE_UP = ("blocks.{i}.feed_forward.gate", "blocks.{i}.feed_forward.expand")


def linear(
    hub: str, ours: str, *, transposed: bool = False, when: When | None = None
) -> tuple[TensorRule, TensorRule]:
    """The rows of a linear map: its weight, and its bias where there is one."""
    kind = Transposed if transposed else Same
    return kind(f"{hub}.weight", f"{ours}.weight", when=when), Same(f"{hub}.bias", f"{ours}.bias", when=when)


def norm(hub: str, ours: str, *, when: When | None = None) -> tuple[TensorRule, TensorRule]:
    """The rows of a norm: its scale, and its shift where there is one."""
    return Same(f"{hub}.weight", f"{ours}.scale", when=when), Same(f"{hub}.bias", f"{ours}.shift", when=when)


def fused(
    hub: str, ours: tuple[str, ...], *, transposed: bool = False, when: When | None = None
) -> tuple[TensorRule, TensorRule]:
    """The rows of a linear map that is several of ours, one after the other: `QKV`, `GATE_UP`."""
    weights, biases = (tuple(f"{name}.{part}" for name in ours) for part in ("weight", "bias"))
    return (
        Fused(f"{hub}.weight", weights, transposed=transposed, when=when),
        Fused(f"{hub}.bias", biases, when=when),
    )


def fused_heads(
    hub: str, ours: tuple[str, str, str] = QKV, *, when: When | None = None
) -> tuple[TensorRule, TensorRule]:
    """The rows of a linear map that has queries, keys and values head by head."""
    query, key, value = ours
    return tuple(  # type: ignore[return-value]
        FusedHeads(f"{hub}.{part}", (f"{query}.{part}", f"{key}.{part}", f"{value}.{part}"), when=when)
        for part in ("weight", "bias")
    )


def _groups(layer: GPTConfig) -> tuple[int, int]:
    """Number and size of the key/value heads."""
    attention = layer.attention
    assert isinstance(attention, HeadsAttentionConfig)  # the family's config table gives no other
    return attention.key_value_heads(layer), attention.query_dim(layer)


@dataclass(frozen=True)
class Stacked(TensorRule):
    """All experts of a layer in one tensor, which has one dimension more, the first.

    Args:
        each: How one of them belongs to ours, which have `{e}` in their names.
    """

    each: TensorRule

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those of one expert."""
        return self.each.names()

    def places(self, config: GPTConfig, existing: Collection[str]) -> Iterator[Placement]:
        """One a layer, with ours of all experts, expert by expert."""
        hub, ours = self.names()
        for i in range(config.n_layers):
            layer = config.layer(i)
            if self.when is not None and not self.when(layer):
                continue
            placed = tuple(name.format(i=i, e=e) for e in range(_experts(layer)) for name in ours)
            if placed and all(name in existing for name in placed):
                yield Placement(self, tuple(name.format(i=i) for name in hub), placed, layer)

    def split(self, stored: list[Tensor], shapes: list[Size], layer: GPTConfig) -> list[Tensor]:
        """Expert by expert."""
        width = len(self.names()[1])
        experts = zip(*stored, strict=True)
        return [
            part
            for e, expert in enumerate(experts)
            for part in self.each.split(list(expert), shapes[e * width : (e + 1) * width], layer)
        ]

    def join(self, parts: list[Tensor], layer: GPTConfig) -> list[Tensor]:
        """All in one."""
        import torch

        width = len(self.names()[1])
        experts: Sequence[list[Tensor]] = [
            self.each.join(parts[start : start + width], layer) for start in range(0, len(parts), width)
        ]
        return [torch.stack(tensors) for tensors in zip(*experts, strict=True)]
