"""What all softmax attention kinds share: how queries and keys are scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import PositiveFloat, PositiveInt

from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.component import BrokenRule

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class SoftmaxAttentionConfig(AttentionConfig):
    """Each query weighs the values before it with a softmax of its scores with their keys."""

    window: PositiveInt | None = None
    """Tokens that a query sees, itself included; None for all before it. Child et al. 2019,
    arXiv:1904.10509; Beltagy et al. 2020, "Longformer", arXiv:2004.05150."""
    scale: PositiveFloat | None = None
    """Factor of the scores; None for 1/√d, where d is the size of a query head."""
    softcap: PositiveFloat | None = None
    """c, which bounds the scores: c·tanh(score / c). Gemma Team 2024, "Gemma 2", arXiv:2408.00118."""
    sinks: bool = False
    """Whether each head has a learned score that takes weight from all tokens and gives no value. OpenAI
    2025, "gpt-oss-120b & gpt-oss-20b Model Card", arXiv:2508.10925; after Xiao et al. 2023,
    arXiv:2309.17453."""

    def query_dim(self, model: GPTConfig) -> int:
        """d, the size of a query head."""
        raise NotImplementedError

    def score_scale(self, model: GPTConfig) -> float:
        """The factor of the scores."""
        return self.scale or float(self.query_dim(model) ** -0.5)

    def pairs(self, time: int) -> tuple[int, int, int]:
        """Pairs of a query and a key: all of them, those of the causal mask, those in the window too."""
        reach = min(time, self.window or time)
        causal = time * (time + 1) // 2
        return time * time, causal, causal - (time - reach) * (time - reach + 1) // 2

    def cache_values(self, model: GPTConfig, time: int) -> int:
        """The tokens in the window, at most."""
        return min(time, self.window or time) * self.cache_values_per_token(model)

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """A window lies within the context."""
        if self.window is not None and self.window > model.context_length:
            yield BrokenRule(
                ("attention", "window"),
                f"`window` must not be longer than the context, got {self.window} and a context_length of "
                f"{model.context_length}; try window {model.context_length}, or null for all tokens",
            )
