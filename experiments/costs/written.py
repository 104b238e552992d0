"""How costs are written: for people as a table, for programs with every digit, in JSON or CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate


def write_rows(rows: Sequence[Mapping[str, Any]], output: str) -> str:
    """Rows that have the same keys, as text that ends with a line break.

    Args:
        output: `json`, a list of objects, or `csv`.
    """
    if output == "json":
        return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_table(
    cells: Sequence[Sequence[str]], heads: Sequence[str], align: Sequence[str], output: str
) -> str:
    """Cells under their heads, as text without a line break at its end.

    Args:
        align: `left` or `right`, for each column.
        output: `markdown`, or `table` for plain text.
    """
    style = "github" if output == "markdown" else "plain"
    table = tabulate(
        cells, heads, style, colalign=tuple(align), disable_numparse=True, preserve_whitespace=True
    )
    return "\n".join(line.rstrip() for line in table.splitlines())
