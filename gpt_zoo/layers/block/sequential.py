"""The sequential block."""

from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.block.sequential import TransformerBlockConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.block.base import Block
from gpt_zoo.layers.cache import LayerCache
from gpt_zoo.layers.flow import Flow


class TransformerBlock(Block):
    """Attention, then the feed-forward network, each added to the residual stream with its norms.

    With pre-norm x + f(norm(x)), post-norm norm(x + f(x)), reordered x + norm(f(x)), sandwich x +
    norm(f(norm(x))).

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; for the other
        placements see the config.
    Cost: that of its parts.

    Args:
        config: The block's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: TransformerBlockConfig, model: GPTConfig) -> None:
        super().__init__(config, model)
        self.placement = config.norm_placement

        def norm(placed: bool) -> nn.Module:
            return model.norm.build(model.emb_dim) if placed else nn.Identity()

        outside, inside = self.placement != "reordered", self.placement in ("reordered", "sandwich")
        self.attention_norm, self.attention_output_norm = norm(outside), norm(inside)
        self.feed_forward_norm, self.feed_forward_output_norm = norm(outside), norm(inside)

    def forward(
        self,
        x: Float[Tensor, "batch time emb_dim"],
        flow: Flow | None = None,
        cache: LayerCache | None = None,
    ) -> Float[Tensor, "batch time emb_dim"]:
        """The residual stream after this layer."""
        flow = flow or Flow.over(x)
        x = self.read(x, flow)
        if self.placement == "post":
            x = self.attention_norm(self.add(x, self.attention(x, flow, cache)))
            x = self.feed_forward_norm(self.add(x, self.feed_forward(x)))
            return x
        mixed = self.attention(self.attention_norm(x), flow, cache)
        x = self.add(x, self.attention_output_norm(mixed))
        made = self.feed_forward(self.feed_forward_norm(x))
        return self.add(x, self.feed_forward_output_norm(made))
