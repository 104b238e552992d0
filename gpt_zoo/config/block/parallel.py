"""The parallel block, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.block.base import BlockConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class ParallelBlockConfig(BlockConfig):
    """Attention and feed-forward read the same residual stream, and both are added to it."""

    kind: Literal["parallel"] = "parallel"
    module: ClassVar[str] = "gpt_zoo.layers.block:ParallelBlock"
    source: ClassVar[str] = (
        'Wang and Komatsuzaki 2021, "GPT-J-6B"; Chowdhery et al. 2022, "PaLM", section 2, arXiv:2204.02311'
    )

    shared_norm: bool = True
    """Whether one norm serves both, as in GPT-J; else each has its own, as in Black et al. 2022,
    "GPT-NeoX-20B", arXiv:2204.06745."""

    def norms(self) -> int:
        """One, or one each."""
        return 1 if self.shared_norm else 2

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Norms, attention and feed-forward beside each other."""
        x = self.trace_read(tape, x)
        normed = self.trace_norm(tape, model, x)
        other = normed if self.shared_norm else self.trace_norm(tape, model, x)
        mixed = self.trace_attention(tape, model, normed)
        x = self.trace_add(tape, model, x, mixed)
        return self.trace_add(tape, model, x, self.trace_feed_forward(tape, model, other))
