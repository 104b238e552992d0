"""What several commands share: options, and where they print."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Override a value, in YAML; may be repeated."),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; runs/NAME unless given.")]
FILE_WIDTH = 140
"""Columns of the tables where no terminal sets a limit."""


class TableOrJson(StrEnum):
    """How something is written: for people, or for programs."""

    TABLE = "table"
    JSON = "json"


def output_console(**settings: Any) -> "Console":
    """Where tables are printed, as wide as the terminal, or as a file may be."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else FILE_WIDTH, **settings)
