"""A config of ours written by a family's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.meaning import Difference, Meaning, find_difference, look_up
from gpt_zoo.families.engine.read_config import read_config

if TYPE_CHECKING:
    from gpt_zoo.families.family import Family


class UnexpressibleError(HubError):
    """A variant that a family cannot express; `path` is the field of ours that it has otherwise."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def write_config(family: Family, config: GPTConfig) -> dict[str, Any]:
    """The fields of a config.json that mean the same as a config of ours.

    Whatever is written is read back and compared, so that nothing is lost.

    Raises:
        UnexpressibleError: names the field which is not expressible.
    """
    meaning = Meaning(config)
    fields: dict[str, Any] = {}
    try:
        for rule in family.config:
            fields.update(rule.write(meaning))
        back = Meaning(read_config(family, fields).config)
    except (HubError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        # A row has not found what it builds on: most likely a part is of another kind.
        if difference := _other_kind(family, meaning):
            raise _unexpressible(family, difference) from error
        raise UnexpressibleError("", f"{family.model_type} cannot express this variant: {error}") from error
    if difference := find_difference(meaning, back):
        raise _unexpressible(family, difference)
    return {"architectures": [family.architecture], "model_type": family.model_type, **fields}


def _other_kind(family: Family, meaning: Meaning) -> Difference | None:
    """The first part that is in no layer of the kind that the family has."""
    for path, kind in family.always.items():
        if path.endswith("kind") and path in meaning:
            found = [look_up(layer, path) for layer in (meaning.model, *meaning.layers)]
            if kind not in found:
                return Difference(path, meaning[path], kind, None)
    return None


def _unexpressible(family: Family, difference: Difference) -> UnexpressibleError:
    return UnexpressibleError(
        difference.path, f"{family.model_type} cannot express {difference}, it has {difference.second!r}"
    )
