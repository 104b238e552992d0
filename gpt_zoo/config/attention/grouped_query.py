"""Grouped-query attention, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt

from gpt_zoo.config.attention.heads import HeadsAttentionConfig, near_divisors
from gpt_zoo.config.component import BrokenRule

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class GroupedQueryAttentionConfig(HeadsAttentionConfig):
    """Groups of query heads share a key and a value head."""

    kind: Literal["grouped_query"] = "grouped_query"
    module: ClassVar[str] = "gpt_zoo.layers.attention:GroupedQueryAttention"
    source: ClassVar[str] = 'Ainslie et al. 2023, "GQA", arXiv:2305.13245'

    n_kv_heads: PositiveInt
    """K, the number of key/value heads; must divide `n_heads`. 1 is multi-query attention."""

    def key_value_heads(self, model: GPTConfig) -> int:
        """K, as declared."""
        return self.n_kv_heads

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """Each key/value head must serve the same number of query heads."""
        yield from super().broken_rules(model)
        if model.n_heads % self.n_kv_heads:
            yield BrokenRule(
                ("attention", "n_kv_heads"),
                f"`n_heads` must be a multiple of `n_kv_heads`, got {model.n_heads} and {self.n_kv_heads}; "
                f"try {' or '.join(near_divisors(model.n_heads, self.n_kv_heads))}",
            )
