"""The text column of a row of a table."""

from collections.abc import Mapping

from experiments.data.errors import DataError
from gpt_zoo.config.base import did_you_mean


def text_of_row(row: Mapping[str, object], column: str, place: str) -> str:
    """The text in `column` of a row, empty where it is null.

    Args:
        row: values by column.
        column: the one with the text.
        place: where the row is, for messages.

    Raises:
        DataError: the column is missing or holds no text.
    """
    if column not in row:
        columns = ", ".join(f"`{name}`" for name in row) or "none"
        hint = did_you_mean(column, row)
        hint = f"; {hint}" if hint.startswith("did") else "; name one of them as `column`"
        raise DataError(f"{place}: no column `{column}`; columns are {columns}{hint}")
    text = row[column]
    if text is None:
        return ""
    if not isinstance(text, str):
        raise DataError(f"{place}: column `{column}` holds {type(text).__name__}, not text: {text!r:.80}")
    return _without_lone_surrogates(text)


def _without_lone_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        # JSON can escape half of a surrogate pair, which is no character and has no UTF-8.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
