"""What all blocks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from gpt_zoo.config.component import Component, Macs
from gpt_zoo.config.tape import EMBEDDED

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


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

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """What the layer makes of the residual stream `x` and keeps, part by part."""
        raise self.untold()

    def trace_read(self, tape: Tape, x: Made) -> Made:
        """The residual stream, with the embeddings mixed in if that was declared."""
        if not self.embedding_residual:
            return x
        with tape.part("residual"):
            own = tape.make(x.numbers, x.size, x, keeps=(x,), weights=2, extra=x.numbers * x.size)
            embedded = tape.once(EMBEDDED, x.numbers, x.size)
            return tape.add(own, tape.make(x.numbers, x.size, embedded, keeps=(embedded,)))

    def trace_add(self, tape: Tape, model: GPTConfig, x: Made, branch: Made) -> Made:
        """`x` with what a branch adds."""
        with tape.part("residual"):
            branch = tape.dropout(branch, model.drop_rate)
            if self.residual_multiplier != 1:
                branch = tape.scale(branch)
            return tape.add(x, branch)

    def trace_norm(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """A norm over the model's width."""
        with tape.part("norm"):
            return model.norm.trace(tape, model.emb_dim, x)

    def trace_attention(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Attention to `x`."""
        with tape.part("attention"):
            return model.attention.trace(tape, model, x)

    def trace_feed_forward(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """The feed-forward network over `x`."""
        with tape.part("feed_forward"):
            return model.feed_forward.trace(tape, model, x)
