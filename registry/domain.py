"""What every domain is: the values that one key of a space may take."""

from collections.abc import Iterator
from typing import Any, ClassVar

from gpt_zoo.config.base import Declared
from registry.labels import Primitive


class Domain(Declared):
    """The values that one key of a space may take.

    Life cycle: a space is read, and each of its domains is validated; a search asks for a value, which
    `accept` brings into its canonical form; a grid asks for all `values`.
    """

    key: ClassVar[str]
    """The only key of the mapping that declares it."""

    @property
    def size(self) -> int | None:
        """The number of values; None when there is no end of them."""
        raise NotImplementedError

    def values(self) -> Iterator[Primitive]:
        """All values in order; of a choice, the labels.

        Raises:
            ValueError: There is no end of them.
        """
        raise NotImplementedError

    def accept(self, value: Any) -> Primitive:
        """The canonical form of a value of this domain.

        Raises:
            ValueError: It is none.
        """
        raise NotImplementedError

    def ends(self) -> tuple[Primitive, ...]:
        """Values which stand for all: if these are of the right type, so are the others."""
        raise NotImplementedError

    def to_data(self) -> dict[str, Any]:
        """The mapping that declares it."""
        return {self.key: self.model_dump(exclude_defaults=True)}
