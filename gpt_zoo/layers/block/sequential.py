"""The sequential block."""

from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.block.sequential import TransformerBlockConfig
from gpt_zoo.config.gpt import GPTConfig


class TransformerBlock(nn.Module):
    """x + dropout(attention(norm(x))), then the same with the feed-forward network (pre-norm).

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    Cost: that of its parts.

    Args:
        config: The block's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: TransformerBlockConfig, model: GPTConfig) -> None:
        super().__init__()
        self.attention_norm = model.norm.build(model.emb_dim)
        self.attention = model.attention.build(model)
        self.feed_forward_norm = model.norm.build(model.emb_dim)
        self.feed_forward = model.feed_forward.build(model)
        self.dropout = nn.Dropout(model.drop_rate)

    def forward(self, x: Float[Tensor, "batch time emb_dim"]) -> Float[Tensor, "batch time emb_dim"]:
        """The residual stream after this layer."""
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        x = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return x
