"""Rows of numbers for programs: every digit, in JSON or CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any


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
