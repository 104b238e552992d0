"""The plain feed-forward network, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.feed_forward.dense import DenseFeedForwardConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class FeedForwardConfig(DenseFeedForwardConfig):
    """Expand, activate, project back."""

    kind: Literal["plain"] = "plain"
    module: ClassVar[str] = "gpt_zoo.layers.feed_forward:FeedForward"
    source: ClassVar[str] = 'Vaswani et al. 2017, "Attention Is All You Need", section 3.3, arXiv:1706.03762'
    expansions: ClassVar[int] = 1

    bias: bool = True
    """Whether both linear maps have a bias."""

    def usual_hidden(self, model: GPTConfig) -> int:
        """F = 4·D."""
        return 4 * model.emb_dim

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """The two linear maps, and what is activated between them."""
        width, hidden = model.emb_dim, self.hidden(model)
        expanded = tape.linear(x, width, hidden, self.bias)
        activated = tape.activate(expanded, model.activation)
        if activated is not expanded:
            tape.free(expanded)
        return tape.linear(activated, hidden, width, self.bias)
