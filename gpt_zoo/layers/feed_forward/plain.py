"""The plain feed-forward network."""

from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.feed_forward.plain import FeedForwardConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.feed_forward.activation import Activation


class FeedForward(nn.Module):
    """output(activation(expand(x))), for each token on its own.

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.3, arXiv:1706.03762.
    Symbols: D model width, F hidden size (4·D unless declared).
    Cost: 2·D·F weights without biases, as many MACs per token.
    """

    def __init__(self, config: FeedForwardConfig, model: GPTConfig) -> None:
        super().__init__()
        hidden = config.hidden(model)
        self.expand = nn.Linear(model.emb_dim, hidden, bias=config.bias)
        self.activation = Activation(model.activation)
        self.output = nn.Linear(hidden, model.emb_dim, bias=config.bias)

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch emb_dim"]:
        """Each token of `x`, expanded, activated, projected back."""
        output: Tensor = self.output(self.activation(self.expand(x)))
        return output
