"""How rotary positions are stretched to a context longer than that of their training, declared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field, PositiveFloat, PositiveInt

from gpt_zoo.config.component import BrokenRule, Component


class RotarySpan(NamedTuple):
    """What a scaling knows of the positions that it changes."""

    base: float
    dim: int
    """Numbers that are turned."""


class RotaryScalingConfig(Component):
    """Changes the frequencies of rotary positions. It has no module: `RotaryPosition` asks it for numbers."""

    def frequency(self, frequency: float, pair: int, span: RotarySpan) -> float:
        """The angle by which a pair of numbers turns from token to token, in radians.

        Args:
            frequency: What it is without scaling: base^(-2·pair/dim).
            pair: Counted from 0.
        """
        raise NotImplementedError

    def amplitude(self) -> float:
        """Factor of the turned queries and keys."""
        return 1.0

    def scaling_rules(self) -> Iterator[BrokenRule]:
        """The rules between its own fields that do not hold, with paths from the scaling on."""
        yield from ()


class LinearScalingConfig(RotaryScalingConfig):
    """All positions are divided by a factor."""

    kind: Literal["linear"] = "linear"
    source: ClassVar[str] = (
        'Chen et al. 2023, "Extending Context Window via Positional Interpolation", arXiv:2306.15595'
    )

    factor: float = Field(ge=1.0)

    def frequency(self, frequency: float, pair: int, span: RotarySpan) -> float:
        """Slower by the factor."""
        return frequency / self.factor


class NTKScalingConfig(RotaryScalingConfig):
    """The base is raised so that the slowest pair is slower by the factor and the fastest stays."""

    kind: Literal["ntk"] = "ntk"
    source: ClassVar[str] = 'Peng et al. 2023, "YaRN", section 3.1, arXiv:2309.00071; after bloc97 2023'

    factor: float = Field(ge=1.0)

    def frequency(self, frequency: float, pair: int, span: RotarySpan) -> float:
        """With the base times factor^(dim / (dim - 2))."""
        if span.dim <= 2:
            return frequency
        return float(frequency * self.factor ** (-2 * pair / (span.dim - 2)))


class Llama3ScalingConfig(RotaryScalingConfig):
    """Slow pairs are divided by the factor, fast ones stay, those between are blended."""

    kind: Literal["llama3"] = "llama3"
    source: ClassVar[str] = 'Grattafiori et al. 2024, "The Llama 3 Herd of Models", arXiv:2407.21783'

    factor: float = Field(ge=1.0)
    low_freq_factor: PositiveFloat = 1.0
    """Pairs that turn less often than this over the original context are divided by the factor."""
    high_freq_factor: PositiveFloat = 4.0
    """Pairs that turn more often than this stay as they are."""
    original_context: PositiveInt = 8192

    def frequency(self, frequency: float, pair: int, span: RotarySpan) -> float:
        """Blended by how often the pair turns over the original context."""
        turns = self.original_context * frequency / (2 * math.pi)
        share = (turns - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor)
        kept = min(max(share, 0.0), 1.0)
        return kept * frequency + (1 - kept) * frequency / self.factor

    def scaling_rules(self) -> Iterator[BrokenRule]:
        """The range that is blended is not empty."""
        if self.low_freq_factor >= self.high_freq_factor:
            yield BrokenRule(
                ("low_freq_factor",),
                f"`low_freq_factor` must be below `high_freq_factor`, got {self.low_freq_factor} and "
                f"{self.high_freq_factor}; published are 1 and 4",
            )


class YarnScalingConfig(RotaryScalingConfig):
    """As `llama3`, blended over the pairs by their number, with a factor on queries and keys."""

    kind: Literal["yarn"] = "yarn"
    source: ClassVar[str] = 'Peng et al. 2023, "YaRN", arXiv:2309.00071'

    factor: float = Field(ge=1.0)
    original_context: PositiveInt
    """Context length of the training before."""
    beta_fast: PositiveFloat = 32.0
    """Pairs that turn more often than this over the original context stay as they are."""
    beta_slow: PositiveFloat = 1.0
    """Pairs that turn less often than this are divided by the factor."""
    attention_factor: PositiveFloat | None = None
    """Factor of queries and keys; None for 0.1·ln(factor) + 1."""
    truncate: bool = True
    """Whether the range that is blended ends at whole pairs."""

    def frequency(self, frequency: float, pair: int, span: RotarySpan) -> float:
        """Blended by the number of the pair."""
        low, high = self._pair_of(self.beta_fast, span), self._pair_of(self.beta_slow, span)
        if self.truncate:
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, span.dim - 1)
        share = (pair - low) / ((high - low) or 0.001)
        slowed = min(max(share, 0.0), 1.0)
        return (1 - slowed) * frequency + slowed * frequency / self.factor

    def _pair_of(self, turns: float, span: RotarySpan) -> float:
        """The pair, as a fraction, that turns so often over the original context."""
        period = self.original_context / (turns * 2 * math.pi)
        return span.dim * math.log(period) / (2 * math.log(span.base))

    def amplitude(self) -> float:
        """`attention_factor`, or 0.1·ln(factor) + 1."""
        return self.attention_factor or 0.1 * math.log(self.factor) + 1

    def scaling_rules(self) -> Iterator[BrokenRule]:
        """The range that is blended is not empty."""
        if self.beta_slow >= self.beta_fast:
            yield BrokenRule(
                ("beta_slow",),
                f"`beta_slow` must be below `beta_fast`, got {self.beta_slow} and {self.beta_fast}; "
                "published are 1 and 32",
            )
