"""What all blocks share."""

import torch
from torch import Tensor, nn

from gpt_zoo.config.block.base import BlockConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.flow import Flow


class Block(nn.Module):
    """One layer: attention and a feed-forward network, joined to the residual stream.

    Args:
        config: The block's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: BlockConfig, model: GPTConfig) -> None:
        super().__init__()
        self.residual_multiplier = config.residual_multiplier
        self.attention = model.attention.build(model)
        self.feed_forward = model.feed_forward.build(model)
        self.dropout = nn.Dropout(model.drop_rate)
        self.embedding_mix = nn.Parameter(torch.tensor([1.0, 0.0])) if config.embedding_residual else None

    def reset_parameters(self) -> None:
        """All of the residual stream, nothing of the embeddings."""
        if self.embedding_mix is not None:
            with torch.no_grad():
                self.embedding_mix.copy_(torch.tensor([1.0, 0.0]))

    def read(self, x: Tensor, flow: Flow) -> Tensor:
        """The residual stream, with the embeddings mixed in if that was declared."""
        if self.embedding_mix is None:
            return x
        embedded = x if flow.embedded is None else flow.embedded
        return self.embedding_mix[0] * x + self.embedding_mix[1] * embedded

    def add(self, x: Tensor, branch: Tensor) -> Tensor:
        """`x` with what a branch adds."""
        dropped: Tensor = self.dropout(branch)
        return x + (dropped if self.residual_multiplier == 1 else self.residual_multiplier * dropped)
