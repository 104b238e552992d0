"""What all norms share."""

from gpt_zoo.config.component import Component


class NormConfig(Component):
    """A norm over the last dimension; its module is built for a width."""

    def params(self, width: int) -> int:
        """Parameters of one norm over `width` numbers."""
        raise NotImplementedError
