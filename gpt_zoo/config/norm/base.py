"""What all norms share."""

from pydantic import PositiveFloat

from gpt_zoo.config.component import Component


class NormConfig(Component):
    """A norm over the last dimension; its module is built for a width."""

    eps: PositiveFloat = 1e-5
    """Added to the variance, so that a constant input divides by no zero."""

    def params(self, width: int) -> int:
        """Parameters of one norm over `width` numbers."""
        raise NotImplementedError
