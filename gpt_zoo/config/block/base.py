"""What all blocks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from gpt_zoo.config.component import Component, Macs

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class BlockConfig(Component):
    """One layer: how attention, feed-forward and norms are joined."""

    residual_multiplier: PositiveFloat = 1.0
    """Factor of what attention and feed-forward add. Stallone et al. 2024, "Granite", arXiv:2407.13739; after
    Yang et al. 2022, "Tensor Programs V" (muP), arXiv:2203.03466."""
    embedding_residual: bool = False
    """Whether the layer reads a learned mix of the residual stream and the token embeddings. Jordan et al.
    2024, "modded-nanogpt: Speedrunning the NanoGPT baseline"."""

    def norms(self) -> int:
        """Number of norms over the model's width."""
        raise NotImplementedError

    def params(self, model: GPTConfig) -> int:
        """Attention, feed-forward, the norms, 2 to mix the embeddings in."""
        return (
            model.attention.params(model)
            + model.feed_forward.params(model)
            + self.norms() * model.norm.params(model.emb_dim)
            + (2 if self.embedding_residual else 0)
        )

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """All multiply-accumulates of the layer."""
        return model.attention.macs(model, time) + model.feed_forward.macs(model, time)
