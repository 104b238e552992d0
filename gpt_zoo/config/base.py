"""The base of everything that a person declares: frozen, strict about keys, helpful about typing errors."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt `word` among the `known` ones, as the tail of an error message."""
    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known are {', '.join(f'`{name}`' for name in known)}"


def problem(
    message: str, *, key: str | None = None, value: Any = None, kind: str = "rule"
) -> InitErrorDetails:
    """One entry of a ValidationError: the rule that `value` breaks, at `key` of the model being validated."""
    error = PydanticCustomError(kind, "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=() if key is None else (key,), input=value)


class Declared(BaseModel):
    """A frozen pydantic model which names the nearest known key when it meets an unknown one.

    Raises:
        pydantic.ValidationError: (a ValueError) an unknown key, or a value of the wrong type or range. All
            problems are reported at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="wrap")
    @classmethod
    def _suggest_known_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        known = cls.model_fields
        if not isinstance(data, dict) or data.keys() <= known.keys():
            return handler(data)
        problems = [
            problem(f"unknown key `{key}`; {did_you_mean(str(key), known)}", key=str(key), value=value)
            for key, value in data.items()
            if key not in known
        ]
        try:
            handler({key: value for key, value in data.items() if key in known})
        except ValidationError as error:
            for line in error.errors():
                problems.append(
                    InitErrorDetails(**{**problem(line["msg"]), "loc": line["loc"], "input": line["input"]})
                )
        raise ValidationError.from_exception_data(cls.__name__, problems)
