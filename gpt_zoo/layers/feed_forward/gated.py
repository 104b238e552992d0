"""The gated feed-forward network."""

from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.feed_forward.gated import GatedFeedForwardConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.feed_forward.activation import Activation


class GatedFeedForward(nn.Module):
    """output(activation(gate(x)) · (expand(x) + offset)), for each token on its own.

    Source: Shazeer 2020, "GLU Variants Improve Transformer", arXiv:2002.05202.
    Symbols: D model width, F hidden size (8/3·D unless declared).
    Cost: 3·D·F weights without biases, as many MACs per token.
    """

    def __init__(self, config: GatedFeedForwardConfig, model: GPTConfig) -> None:
        super().__init__()
        hidden = config.hidden(model)
        self.limit, self.linear_offset = config.limit, config.linear_offset
        self.gate = nn.Linear(model.emb_dim, hidden, bias=config.bias)
        self.expand = nn.Linear(model.emb_dim, hidden, bias=config.bias)
        self.activation = Activation(model.activation)
        self.output = nn.Linear(hidden, model.emb_dim, bias=config.bias)

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch emb_dim"]:
        """Each token of `x`, expanded, gated, projected back."""
        gate, expanded = self.gate(x), self.expand(x)  # (..., F) each
        if self.limit is not None:
            gate, expanded = gate.clamp(max=self.limit), expanded.clamp(-self.limit, self.limit)
        if self.linear_offset:
            expanded = expanded + self.linear_offset
        output: Tensor = self.output(self.activation(gate) * expanded)
        return output
