"""What several commands share: options, and the width of what they print."""

from pathlib import Path
from typing import Annotated

import typer

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Override a value, in YAML; may be repeated."),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; runs/NAME unless given.")]
FILE_WIDTH = 140
"""Columns of the tables where no terminal sets a limit."""
