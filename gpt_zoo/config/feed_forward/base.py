"""What all feed-forward kinds share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt_zoo.config.component import Component, Macs

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class FeedForwardBaseConfig(Component):
    """What happens to each token on its own."""

    def params(self, model: GPTConfig) -> int:
        """All parameters."""
        raise NotImplementedError

    def params_active(self, model: GPTConfig) -> int:
        """Those that one token uses."""
        return self.params(model)

    def params_read(self, model: GPTConfig, tokens: int) -> int:
        """Those that a pass of so many tokens uses; where tokens choose, as many as are expected."""
        return min(self.params(model), tokens * self.params_active(model))

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """Multiply-accumulates for one sequence of `time` tokens."""
        raise NotImplementedError

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """What the module makes of `x` and keeps."""
        raise self.untold()
