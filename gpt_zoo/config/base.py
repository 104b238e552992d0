"""The base of everything that a person declares: frozen, strict about keys, helpful about typing errors."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt `word` among the `known` ones, as the tail of an error message."""
    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known are {', '.join(f'`{name}`' for name in known)}"


TOLD_AT_MOST = 8


def tell_names(names: Iterable[str]) -> str:
    """`a, b, c and 17 more`."""
    ordered = sorted(names)
    told = ", ".join(ordered[:TOLD_AT_MOST])
    return told + (f" and {len(ordered) - TOLD_AT_MOST} more" if len(ordered) > TOLD_AT_MOST else "")


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
    def _refuse_kindly(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, dict):
            return handler(data)
        problems = list(cls._unlikely_entries(data))
        if not problems:
            return handler(data)
        told = {entry["loc"][0] for entry in problems}
        try:
            handler({key: value for key, value in data.items() if str(key) not in told})
        except ValidationError as error:
            for line in error.errors():
                if line["loc"] and line["loc"][0] not in told:
                    problems.append(
                        InitErrorDetails(
                            **{**problem(line["msg"]), "loc": line["loc"], "input": line["input"]}
                        )
                    )
        raise ValidationError.from_exception_data(cls.__name__, problems)

    @classmethod
    def _unlikely_entries(cls, data: dict[Any, Any]) -> Iterator[InitErrorDetails]:
        """Unknown keys, and truth values where numbers belong: pydantic would take them for 1 and 0."""
        numbers = _takes_numbers(cls)
        for key, value in data.items():
            if key not in numbers:
                yield problem(cls._about_unknown(str(key)), key=str(key), value=value)
            elif isinstance(value, bool) and numbers[key]:
                yield problem(f"must be a number, got {str(value).lower()}", key=key, value=value)

    @classmethod
    def _about_unknown(cls, key: str) -> str:
        """What to say about a key that is no field."""
        return f"unknown key `{key}`; {did_you_mean(key, cls.model_fields)}"


@cache
def _takes_numbers(declared: type[BaseModel]) -> dict[str, bool]:
    """Whether each field of a model takes numbers and no truth values."""
    return {name: _is_number(field.annotation) for name, field in declared.model_fields.items()}


def _is_number(annotation: Any) -> bool:
    """Whether a field takes numbers and no truth values, itself or as one of its alternatives."""
    kinds = [annotation]
    for kind in kinds:  # grows: `int | None`, and what is annotated in there
        kinds.extend(get_args(kind))
    return bool not in kinds and (int in kinds or float in kinds)
