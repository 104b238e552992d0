"""What all blocks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt_zoo.config.component import Component, Macs

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class BlockConfig(Component):
    """One layer: how attention, feed-forward and norms are joined."""

    def params(self, model: GPTConfig) -> int:
        """All parameters of the layer."""
        raise NotImplementedError

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """All multiply-accumulates of the layer."""
        return model.attention.macs(model, time) + model.feed_forward.macs(model, time)
