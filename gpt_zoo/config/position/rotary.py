"""Rotary positions, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat

from gpt_zoo.config.component import BrokenRule
from gpt_zoo.config.position.base import AttentionPositionConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class RotaryPositionConfig(AttentionPositionConfig):
    """Queries and keys are turned by an angle in proportion to their position."""

    kind: Literal["rotary"] = "rotary"
    module: ClassVar[str] = "gpt_zoo.layers.position:RotaryPosition"
    source: ClassVar[str] = 'Su et al. 2021, "RoFormer", arXiv:2104.09864'

    base: PositiveFloat = 10_000.0
    """The slowest pair of dimensions turns once in about 2π times this many tokens."""

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """A head is turned in pairs of dimensions."""
        head_dim = model.emb_dim // model.n_heads
        if model.emb_dim % model.n_heads == 0 and head_dim % 2:
            yield BrokenRule(
                ("emb_dim",),
                f"rotary positions need heads of even size, got {model.emb_dim} / {model.n_heads} = "
                f"{head_dim}; "
                f"try emb_dim {(head_dim + 1) * model.n_heads}"
                + (f" or {(head_dim - 1) * model.n_heads}" if head_dim > 1 else ""),
            )
