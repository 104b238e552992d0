"""What all attention kinds share: what they cost, and what decoding has to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt_zoo.config.component import Component, Macs

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class AttentionConfig(Component):
    """Mixes each token with those before it: the only part of a layer that looks at more than one token."""

    out_bias: bool = True
    """Whether the output projection has a bias. The query, key and value projections have `qkv_bias`."""

    def params(self, model: GPTConfig) -> int:
        """All parameters."""
        raise NotImplementedError

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """Multiply-accumulates for one sequence of `time` tokens."""
        raise NotImplementedError

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """What the module makes of `x` and keeps."""
        raise self.untold()

    def decode_macs(self, model: GPTConfig, context: int) -> int:
        """Multiply-accumulates of the token that makes a sequence `context` tokens long, from a cache.

        A cached step computes what a sequence of n tokens has more than one of n - 1, unless a kind decodes
        in a way of its own.
        """
        after = self.macs(model, context)
        if context == 1:
            return after.linear + after.windowed
        before = self.macs(model, context - 1)
        return after.linear - before.linear + after.windowed - before.windowed

    def position_dim(self, model: GPTConfig) -> int:
        """Numbers of a query that positions may turn; 0 if queries and keys take no positions."""
        return 0

    def shared_values(self, model: GPTConfig) -> tuple[int, int] | None:
        """Number and size of the value heads that all layers which mix in the first one's must have alike;
        None if this is no such layer."""
        return None

    def cache_values_per_token(self, model: GPTConfig) -> int:
        """Numbers that decoding keeps for each further token."""
        raise NotImplementedError

    def cache_values(self, model: GPTConfig, time: int) -> int:
        """Numbers that decoding keeps after `time` tokens."""
        return time * self.cache_values_per_token(model)
