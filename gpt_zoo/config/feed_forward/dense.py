"""What the dense feed-forward kinds share: a hidden size and a cost that is linear in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, PositiveInt

from gpt_zoo.config.component import BrokenRule, Macs, linear_params
from gpt_zoo.config.feed_forward.base import FeedForwardBaseConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class DenseFeedForwardConfig(FeedForwardBaseConfig):
    """Maps each token from width D to a hidden size F and back."""

    expansions: ClassVar[int]
    """Number of matrices from D to F; one more leads back."""

    hidden_dim: Annotated[PositiveInt, Field(le=2**31)] | None = None
    """F; None takes `hidden_multiple`, or what is usual: 4·D if plain, 8/3·D rounded up to a multiple of 8 if
    gated."""
    hidden_multiple: Annotated[float, Field(gt=0.0, le=1024.0)] | None = None
    """F / D, rounded to a whole F."""
    bias: bool

    def usual_hidden(self, model: GPTConfig) -> int:
        """F where nothing is declared."""
        raise NotImplementedError

    def hidden(self, model: GPTConfig) -> int:
        """F, the hidden size."""
        if self.hidden_multiple is not None:
            return round(self.hidden_multiple * model.emb_dim)
        return self.hidden_dim or self.usual_hidden(model)

    def params(self, model: GPTConfig) -> int:
        """(expansions + 1)·D·F weights, and the biases."""
        hidden = self.hidden(model)
        return self.expansions * linear_params(model.emb_dim, hidden, self.bias) + linear_params(
            hidden, model.emb_dim, self.bias
        )

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """One a weight and token."""
        return Macs(linear=time * (self.expansions + 1) * model.emb_dim * self.hidden(model))

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """The hidden size is given once, and is one."""
        if self.hidden_multiple is not None and round(self.hidden_multiple * model.emb_dim) < 1:
            yield BrokenRule(
                ("feed_forward", "hidden_multiple"),
                f"`hidden_multiple` x emb_dim must round to 1 or more, got {self.hidden_multiple} x "
                f"{model.emb_dim}; try {1 / model.emb_dim:g}",
            )
        if self.hidden_dim is not None and self.hidden_multiple is not None:
            yield BrokenRule(
                ("feed_forward", "hidden_multiple"),
                f"the hidden size is given twice, as hidden_dim {self.hidden_dim} and as hidden_multiple "
                f"{self.hidden_multiple} x {model.emb_dim} = {self.hidden(model)}; set one of them to null",
            )
