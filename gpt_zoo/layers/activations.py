"""Activations by name. To add one, write the function and decorate it with its name.

The names are part of what a config may declare, and configs do without torch, so that commands which only
read them start at once: here torch is imported where it computes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

Activation = Callable[["Tensor"], "Tensor"]
ACTIVATIONS: dict[str, Activation] = {}


class Kept(NamedTuple):
    """What an activation keeps for the backward pass."""

    input: bool = True
    """Whether its argument."""
    output: bool = False
    """Whether its result."""
    inside: int = 0
    """Tensors of the same shape from in between."""


KEPT: dict[str, Kept] = {}


def activation(name: str, kept: Kept | None = None) -> Callable[[Activation], Activation]:
    """Make the decorated function known as `name`.

    Args:
        kept: What it keeps for the backward pass: what memory is predicted from.

    Raises:
        ValueError: (where it is decorated) another function has that name.
    """

    def register(function: Activation) -> Activation:
        if ACTIVATIONS.setdefault(name, function) is not function:
            raise ValueError(f"there is an activation `{name}` already; choose another name")
        KEPT.pop(name, None)
        if kept is not None:
            KEPT[name] = kept
        return function

    return register


@activation("gelu", Kept())
def gelu(x: Tensor) -> Tensor:
    """x·Φ(x), with Φ the normal distribution. Hendrycks and Gimpel 2016, arXiv:1606.08415."""
    from torch.nn import functional as F

    return F.gelu(x)


@activation("gelu_tanh", Kept())
def gelu_tanh(x: Tensor) -> Tensor:
    """x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as in GPT-2. Hendrycks and Gimpel 2016, arXiv:1606.08415."""
    from torch.nn import functional as F

    return F.gelu(x, approximate="tanh")


@activation("gelu_quick", Kept(inside=1))
def gelu_quick(x: Tensor) -> Tensor:
    """x·σ(1.702·x). Hendrycks and Gimpel 2016, section 2, arXiv:1606.08415."""
    return x * (1.702 * x).sigmoid()


@activation("relu", Kept(input=False, output=True))
def relu(x: Tensor) -> Tensor:
    """max(x, 0)."""
    return x.relu()


@activation("relu_squared", Kept(input=False, inside=1))
def relu_squared(x: Tensor) -> Tensor:
    """max(x, 0)². So et al. 2021, "Primer", arXiv:2109.08668."""
    return x.relu().square()


@activation("silu", Kept())
def silu(x: Tensor) -> Tensor:
    """x·σ(x). Elfwing et al. 2017, arXiv:1702.03118."""
    from torch.nn import functional as F

    return F.silu(x)


@activation("identity", Kept(input=False))
def identity(x: Tensor) -> Tensor:
    """x: with a gated feed-forward, a bilinear one. Shazeer 2020, arXiv:2002.05202."""
    return x


@activation("sigmoid", Kept(input=False, output=True))
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x): with a gated feed-forward, the first GLU. Dauphin et al. 2016, arXiv:1612.08083."""
    return x.sigmoid()


@activation("tanh", Kept(input=False, output=True))
def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return x.tanh()


@activation("mish", Kept())
def mish(x: Tensor) -> Tensor:
    """x·tanh(ln(1 + eˣ)). Misra 2019, arXiv:1908.08681."""
    from torch.nn import functional as F

    return F.mish(x)


@activation("softplus", Kept())
def softplus(x: Tensor) -> Tensor:
    """ln(1 + eˣ). Dugas et al. 2000, "Incorporating Second-Order Functional Knowledge"."""
    from torch.nn import functional as F

    return F.softplus(x)


@activation("elu", Kept())
def elu(x: Tensor) -> Tensor:
    """x above 0, eˣ - 1 below. Clevert et al. 2015, arXiv:1511.07289."""
    from torch.nn import functional as F

    return F.elu(x)


@activation("selu", Kept())
def selu(x: Tensor) -> Tensor:
    """An `elu` scaled so that it keeps mean 0 and variance 1. Klambauer et al. 2017, arXiv:1706.02515."""
    from torch.nn import functional as F

    return F.selu(x)


@activation("leaky_relu", Kept())
def leaky_relu(x: Tensor) -> Tensor:
    """x above 0, x / 100 below. Maas et al. 2013, "Rectifier Nonlinearities"."""
    from torch.nn import functional as F

    return F.leaky_relu(x)


@activation("hard_swish", Kept())
def hard_swish(x: Tensor) -> Tensor:
    """x·min(max(x + 3, 0), 6) / 6. Howard et al. 2019, "MobileNetV3", arXiv:1905.02244."""
    from torch.nn import functional as F

    return F.hardswish(x)
