"""Plain data that cannot be changed: what a frozen config may hold."""

from typing import Any, NoReturn


class FrozenDict(dict[str, Any]):
    """A mapping that stays as it is, and has a hash. It equals a plain one with the same entries.

    Raises:
        TypeError: somebody tries to change it.
    """

    def _refuse(self, *arguments: Any, **entries: Any) -> NoReturn:
        raise TypeError(
            "configs are frozen; declare another one, such as GPTConfig(**config.model_dump() | {...})"
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


def freeze(data: Any) -> Any:
    """Plain data with each mapping and list in it replaced by one that cannot be changed."""
    if isinstance(data, dict):
        return FrozenDict({key: freeze(value) for key, value in data.items()})
    return tuple(map(freeze, data)) if isinstance(data, list | tuple) else data
