"""An activation as a module, so that it stands in the tree of a model."""

from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.layers.activations import ACTIVATIONS


class Activation(nn.Module):
    """The activation called `name`, applied to each number.

    Raises:
        ValueError: no activation has that name.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in ACTIVATIONS:
            raise ValueError(f"no activation is called `{name}`; {did_you_mean(name, ACTIVATIONS)}")
        self.name = name
        self.function = ACTIVATIONS[name]

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Each number of `x`, activated."""
        return self.function(x)

    def extra_repr(self) -> str:
        """Its name."""
        return self.name


class GELU(Activation):
    """The Gaussian error linear unit, in its tanh approximation as in GPT-2, or a variant of it.

    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", arXiv:1606.08415.
    """

    def __init__(self, name: str = "gelu_tanh") -> None:
        super().__init__(name)
