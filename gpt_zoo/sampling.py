"""Which token comes next, given the logits."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn.

    Args:
        temperature: Divides the logits; below 1 sharpens, 0 always takes the likeliest token.
        top_k: Draw among the k likeliest tokens only.
        top_p: Draw among the likeliest tokens only which together reach this probability (nucleus sampling,
            Holtzman et al. 2019, arXiv:1904.09751). Applied after `top_k`.
        min_p: Draw among the tokens only which are at least this fraction as likely as the likeliest (Nguyen
            et al. 2024, arXiv:2407.01082). Applied last.

    Raises:
        ValueError: an option is out of its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self) -> None:
        if not (self.temperature >= 0 and math.isfinite(self.temperature)):
            raise ValueError(
                f"`temperature` must be 0 or more, got {self.temperature}; 0 takes the likeliest token"
            )
        if self.top_k is not None and (type(self.top_k) is not int or self.top_k < 1):
            raise ValueError(
                f"`top_k` must be a whole number of at least 1, got {self.top_k}; None draws among all tokens"
            )
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(
                f"`top_p` must lie above 0 and up to 1, got {self.top_p}; None draws among all tokens"
            )
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise ValueError(f"`min_p` must lie in 0 to 1, got {self.min_p}; None draws among all tokens")

    def draw(
        self, logits: Float[Tensor, "batch vocab_size"], generator: torch.Generator
    ) -> Int[Tensor, "batch 1"]:
        """A token for each sequence."""
        if self.temperature == 0:
            return logits.argmax(dim=-1, keepdim=True)
        ordered, order = logits.float().sort(dim=-1, descending=True)
        # Below the largest logit, and divided by no subnormal number, nothing overflows to nan.
        ordered = (ordered - ordered[:, :1]) / max(self.temperature, torch.finfo(ordered.dtype).tiny)
        if self.top_k is not None:
            ordered[:, self.top_k :] = -math.inf
        probabilities = ordered.softmax(dim=-1)
        if self.top_p is not None:
            before = probabilities.cumsum(dim=-1) - probabilities  # the mass of all likelier tokens
            probabilities = probabilities.masked_fill(before >= self.top_p, 0.0)
        if self.min_p is not None:
            unlikely = probabilities < self.min_p * probabilities[:, :1]
            probabilities = probabilities.masked_fill(unlikely, 0.0)
        return order.gather(-1, torch.multinomial(probabilities, 1, generator=generator))
