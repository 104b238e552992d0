"""The sequential block, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.block.base import BlockConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class TransformerBlockConfig(BlockConfig):
    """Attention, then feed-forward, each added to the residual stream."""

    kind: Literal["sequential"] = "sequential"
    module: ClassVar[str] = "gpt_zoo.layers.block:TransformerBlock"
    source: ClassVar[str] = 'Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"'

    norm_placement: Literal["pre", "post", "reordered", "sandwich"] = "pre"
    """Where a branch f has its norms. `pre`: x + f(norm(x)), as GPT-2. `post`: norm(x + f(x)), Vaswani et al.
    2017, arXiv:1706.03762. `reordered`: x + norm(f(x)), OLMo Team 2024, "2 OLMo 2 Furious", arXiv:2501.00656.
    `sandwich`: x + norm(f(norm(x))), Gemma Team 2024, "Gemma 2", arXiv:2408.00118."""

    def norms(self) -> int:
        """One a branch, or two."""
        return 4 if self.norm_placement == "sandwich" else 2

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Attention and its norms, then the feed-forward network and its norms."""
        x = self.trace_read(tape, x)
        for branch in (self.trace_attention, self.trace_feed_forward):
            if self.norm_placement == "post":
                x = self.trace_add(tape, model, x, branch(tape, model, x))
                x = self.trace_norm(tape, model, x)
                continue
            read = x if self.norm_placement == "reordered" else self.trace_norm(tape, model, x)
            made = branch(tape, model, read)
            if self.norm_placement != "pre":
                made = self.trace_norm(tape, model, made)
            x = self.trace_add(tape, model, x, made)
        return x
