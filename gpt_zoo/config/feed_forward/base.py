"""What all feed-forward kinds share: a hidden size and a cost that is linear in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import PositiveInt

from gpt_zoo.config.component import Component, Macs, linear_params

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class FeedForwardBaseConfig(Component):
    """Maps each token from width D to a hidden size F and back."""

    expansions: ClassVar[int]
    """Number of matrices from D to F; one more leads back."""

    hidden_dim: PositiveInt | None = None
    """F; None takes the usual multiple of the model's width."""
    bias: bool

    def hidden(self, model: GPTConfig) -> int:
        """F, the hidden size."""
        raise NotImplementedError

    def params(self, model: GPTConfig) -> int:
        """(expansions + 1)·D·F weights, and the biases."""
        hidden = self.hidden(model)
        return self.expansions * linear_params(model.emb_dim, hidden, self.bias) + linear_params(
            hidden, model.emb_dim, self.bias
        )

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """One a weight and token."""
        return Macs(linear=time * (self.expansions + 1) * model.emb_dim * self.hidden(model))
