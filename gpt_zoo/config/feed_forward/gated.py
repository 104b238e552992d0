"""The gated feed-forward network, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat

from gpt_zoo.config.feed_forward.dense import DenseFeedForwardConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class GatedFeedForwardConfig(DenseFeedForwardConfig):
    """An activated gate times a linear map, projected back: SwiGLU with the activation `silu`, GEGLU with a
    `gelu`, ReGLU with `relu`, bilinear with `identity`."""

    kind: Literal["gated"] = "gated"
    module: ClassVar[str] = "gpt_zoo.layers.feed_forward:GatedFeedForward"
    source: ClassVar[str] = 'Shazeer 2020, "GLU Variants Improve Transformer", arXiv:2002.05202'
    expansions: ClassVar[int] = 2

    bias: bool = False
    """Whether the three linear maps have a bias."""
    limit: PositiveFloat | None = None
    """Bound of the gate from above, and of the linear map on both sides. OpenAI 2025, "gpt-oss-120b &
    gpt-oss-20b Model Card", arXiv:2508.10925."""
    linear_offset: float = 0.0
    """Added to the linear map: 1 in gpt-oss, so that an expansion of zeros passes the gate on."""

    def usual_hidden(self, model: GPTConfig) -> int:
        """F = 8/3·D, the weights of a plain one with 4·D, rounded up to a multiple of 8."""
        return -(-8 * model.emb_dim // 24) * 8

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Three linear maps, the activated gate, and its product with the linear part."""
        width, hidden = model.emb_dim, self.hidden(model)
        gate, expanded = (tape.linear(x, width, hidden, self.bias) for _ in range(2))
        if self.limit is not None:
            gate, expanded = tape.clamp(gate), tape.clamp(expanded)
        if self.linear_offset:
            expanded = tape.scale(expanded)
        activated = tape.activate(gate, model.activation)
        gated = tape.multiply(activated, expanded)
        if activated is not gate:
            tape.free(activated)
        return tape.linear(gated, hidden, width, self.bias)
