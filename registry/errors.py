"""What is wrong with a declaration: every problem, with the place to fix it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import TYPE_CHECKING

from pydantic import ValidationError

from registry.key_path import KeyPath, format_key_path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Problem:
    """One broken rule: `tiny.yaml:12:5: attention.n_kv_heads: must divide n_heads, ...`."""

    where: str
    """`file:line:column`, or the option of the command line that gave the value."""
    path: str
    """Key path of the value; empty when the whole document is meant."""
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.path, self.message) if part)


class DeclarationError(ValueError):
    """A variant, a space or an override that breaks rules; prints one problem a line.

    Args:
        problems: All that was found, at least one.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)  # the arguments are what pickling gives back to this constructor

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def find_mark(marks: Mapping[KeyPath, str], path: KeyPath) -> str:
    """The position of `path`, or of the nearest thing around it that has one."""
    for length in range(len(path), -1, -1):
        if path[:length] in marks:
            return marks[path[:length]]
    return ""


def problem_at(marks: Mapping[KeyPath, str], path: KeyPath, message: str) -> Problem:
    """A problem with the value at `path`, placed by `marks`."""
    return Problem(find_mark(marks, path), format_key_path(path), message)


def describe(line: "ErrorDetails") -> str:
    """The message of one entry of a pydantic error, with the value where pydantic leaves it out."""
    message = line["msg"].removeprefix("Value error, ")
    if message == "Field required":
        return "this key is missing"
    if not message.startswith("Input should"):
        return message
    return f"{message}{':' if ', got ' in message else ', got'} {short_repr(line['input'])}"


def problems_of(error: ValidationError, marks: Mapping[KeyPath, str], within: KeyPath = ()) -> list[Problem]:
    """The entries of a pydantic error, placed in the files that gave the values.

    Args:
        error: What validating the data raised.
        marks: Positions of the data's values, by path from the top of the document.
        within: Where in the document the validated data stands.
    """
    return [problem_at(marks, within + tuple(line["loc"]), describe(line)) for line in error.errors()]
