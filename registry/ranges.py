"""The domains of numbers between two ends."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, ClassVar, Self

from pydantic import Field, FiniteFloat, StrictBool, StrictInt, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from gpt_zoo.config.base import problem
from registry.domain import Domain
from registry.labels import Primitive


def _exact(number: float) -> Fraction:
    """The decimal that was written, so that three steps of 0.1 are 0.3."""
    return Fraction(str(number))


class _Range(Domain):
    low: float
    high: float
    step: float | None
    log: StrictBool = False

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        problems = list(self._broken_rules())
        if problems:
            raise ValidationError.from_exception_data(type(self).__name__, problems)
        return self

    def _broken_rules(self) -> Iterator[InitErrorDetails]:
        low, high, step = self.low, self.high, self.step
        if low > high:
            yield problem(f"`low` must not be above `high`, got {low} and {high}; swap them", key="low")
        elif step is not None:
            rest = (_exact(high) - _exact(low)) % _exact(step)
            if rest:
                last = type(high)(_exact(high) - rest)
                message = f"steps of {step} from {low} do not meet `high` {high}; the last one is {last}"
                yield problem(message, key="high")
        if self.log and low <= 0:
            yield problem(f"a logarithmic range starts above 0, got `low` {low}", key="low")
        if self.log and step not in (None, type(self).model_fields["step"].default):
            yield problem(f"a logarithmic range has no `step`, got {step}; remove one of them", key="step")

    def ends(self) -> tuple[Primitive, ...]:
        """Low and high."""
        return (self.low, self.high)

    def _refuse(self, value: Any, what: str) -> ValueError:
        steps = f" in steps of {self.step}" if self.step not in (None, 1) else ""
        return ValueError(f"must be {what} from {self.low} to {self.high}{steps}, got {value!r}")


class Int(_Range):
    """A whole number in a range, both ends included.

    Args:
        low: The smallest.
        high: The largest; a multiple of `step` above `low`.
        step: Distance of neighbours.
        log: Whether to draw on a logarithmic scale; needs a positive `low` and a step of 1.

    Raises:
        pydantic.ValidationError: Ends or step are not whole numbers, or do not fit each other.
    """

    key: ClassVar[str] = "int"

    low: StrictInt
    """The smallest value."""
    high: StrictInt
    """The largest value; a multiple of `step` above `low`."""
    step: StrictInt = Field(default=1, ge=1)
    """Distance of neighbours."""
    log: StrictBool = False
    """Whether to draw on a logarithmic scale; needs a positive `low` and no `step`."""

    @property
    def size(self) -> int:
        """The number of values."""
        return (self.high - self.low) // self.step + 1

    def values(self) -> Iterator[Primitive]:
        """From low to high."""
        return iter(range(self.low, self.high + 1, self.step))

    def accept(self, value: Any) -> Primitive:
        """The value as an int; floats that are whole numbers count, since tables store them so."""
        whole = not isinstance(value, bool) and isinstance(value, int | float) and value % 1 == 0
        if not whole or int(value) not in range(self.low, self.high + 1, self.step):
            raise self._refuse(value, "a whole number")
        return int(value)


class Float(_Range):
    """A number in a range, both ends included.

    Args:
        low: The smallest.
        high: The largest; a multiple of `step` above `low`.
        step: Distance of neighbours; None for any number between the ends.
        log: Whether to draw on a logarithmic scale; needs a positive `low` and no step.

    Raises:
        pydantic.ValidationError: Ends or step are not finite numbers, or do not fit each other.
    """

    key: ClassVar[str] = "float"

    low: FiniteFloat = Field(strict=True)
    """The smallest value."""
    high: FiniteFloat = Field(strict=True)
    """The largest value; a multiple of `step` above `low`."""
    step: FiniteFloat | None = Field(default=None, strict=True, gt=0)
    """Distance of neighbours; without it, any number between the ends."""
    log: StrictBool = False
    """Whether to draw on a logarithmic scale; needs a positive `low` and no `step`."""

    @property
    def size(self) -> int | None:
        """The number of values; None without a step, unless low is high."""
        if self.low == self.high:
            return 1
        return None if self.step is None else self._steps(self.high) + 1

    def _steps(self, value: float) -> int:
        return round((_exact(value) - _exact(self.low)) / _exact(self.step or 1.0))

    def _value(self, steps: int) -> float:
        return float(_exact(self.low) + steps * _exact(self.step or 0.0))

    def values(self) -> Iterator[Primitive]:
        """From low to high."""
        if self.size is None:
            raise ValueError(f"a range without `step` has no end of values, from {self.low} to {self.high}")
        return map(self._value, range(self.size))

    def accept(self, value: Any) -> Primitive:
        """The value as a float, moved onto its step."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._refuse(value, "a number")
        nearest = float(value) if self.step is None else self._value(self._steps(value))
        if not self.low <= nearest <= self.high or not math.isclose(nearest, value, abs_tol=1e-12):
            raise self._refuse(value, "a number")
        return nearest
