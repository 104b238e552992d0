"""The sequential block, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.block.base import BlockConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class TransformerBlockConfig(BlockConfig):
    """Attention, then feed-forward, each behind a norm and added to the residual stream (pre-norm)."""

    kind: Literal["sequential"] = "sequential"
    module: ClassVar[str] = "gpt_zoo.layers.block:TransformerBlock"
    source: ClassVar[str] = 'Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"'

    def params(self, model: GPTConfig) -> int:
        """Attention, feed-forward and two norms."""
        return (
            model.attention.params(model)
            + model.feed_forward.params(model)
            + 2 * model.norm.params(model.emb_dim)
        )
