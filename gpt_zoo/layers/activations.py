"""Activations by name. To add one, write the function and decorate it with its name.

The names are part of what a config may declare, and configs do without torch, so that commands which only
read them start at once: here torch is imported where it computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Activation = Callable[["Tensor"], "Tensor"]
ACTIVATIONS: dict[str, Activation] = {}


def activation(name: str) -> Callable[[Activation], Activation]:
    """Make the decorated function known as `name`."""

    def register(function: Activation) -> Activation:
        ACTIVATIONS[name] = function
        return function

    return register


@activation("gelu")
def gelu(x: Tensor) -> Tensor:
    """x·Φ(x), with Φ the normal distribution. Hendrycks and Gimpel 2016, arXiv:1606.08415."""
    from torch.nn import functional as F

    return F.gelu(x)


@activation("gelu_tanh")
def gelu_tanh(x: Tensor) -> Tensor:
    """x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as in GPT-2. Hendrycks and Gimpel 2016, arXiv:1606.08415."""
    from torch.nn import functional as F

    return F.gelu(x, approximate="tanh")


@activation("gelu_quick")
def gelu_quick(x: Tensor) -> Tensor:
    """x·σ(1.702·x). Hendrycks and Gimpel 2016, section 2, arXiv:1606.08415."""
    return x * (1.702 * x).sigmoid()


@activation("relu")
def relu(x: Tensor) -> Tensor:
    """max(x, 0)."""
    return x.relu()


@activation("relu_squared")
def relu_squared(x: Tensor) -> Tensor:
    """max(x, 0)². So et al. 2021, "Primer", arXiv:2109.08668."""
    return x.relu().square()


@activation("silu")
def silu(x: Tensor) -> Tensor:
    """x·σ(x). Elfwing et al. 2017, arXiv:1702.03118."""
    from torch.nn import functional as F

    return F.silu(x)


def gelu_written_out(x: Tensor) -> Tensor:
    """The tanh approximation as its formula stands: for reading, and to test `gelu_tanh` against."""
    return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())
