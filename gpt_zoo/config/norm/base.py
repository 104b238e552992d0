"""What all norms share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt_zoo.config.component import Component

if TYPE_CHECKING:
    from gpt_zoo.config.tape import Made, Tape


class NormConfig(Component):
    """A norm over the last dimension; its module is built for a width."""

    def params(self, width: int) -> int:
        """Parameters of one norm over `width` numbers."""
        raise NotImplementedError

    def trace(self, tape: Tape, width: int, x: Made) -> Made:
        """What the module makes of `x`, vectors of `width` numbers, and keeps."""
        raise self.untold()
