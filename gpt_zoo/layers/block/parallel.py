"""The parallel block."""

from jaxtyping import Float
from torch import Tensor

from gpt_zoo.config.block.parallel import ParallelBlockConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.block.base import Block
from gpt_zoo.layers.cache import LayerCache
from gpt_zoo.layers.flow import Flow


class ParallelBlock(Block):
    """x + attention(norm(x)) + feed_forward(norm(x)), with one norm for both or one each.

    Source: Wang and Komatsuzaki 2021, "GPT-J-6B"; two norms: Black et al. 2022, "GPT-NeoX-20B",
    arXiv:2204.06745.
    Cost: that of its parts.

    Args:
        config: The block's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: ParallelBlockConfig, model: GPTConfig) -> None:
        super().__init__(config, model)
        self.attention_norm = model.norm.build(model.emb_dim)
        self.feed_forward_norm = None if config.shared_norm else model.norm.build(model.emb_dim)

    def forward(
        self,
        x: Float[Tensor, "batch time emb_dim"],
        flow: Flow | None = None,
        cache: LayerCache | None = None,
    ) -> Float[Tensor, "batch time emb_dim"]:
        """The residual stream after this layer."""
        flow = flow or Flow.over(x)
        x = self.read(x, flow)
        normed = self.attention_norm(x)
        other = normed if self.feed_forward_norm is None else self.feed_forward_norm(x)
        return self.add(self.add(x, self.attention(normed, flow, cache)), self.feed_forward(other))
