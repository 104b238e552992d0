"""Text from elsewhere as it may be shown: a name in a file must not steer the terminal that prints it."""

from unicodedata import category

JOINERS = "\u200c\u200d"
"""Not printable by Python's word, but Persian and emoji are written with them."""


def printable(text: str, keep: str = "") -> str:
    """The text with � for each character that is none to be seen: control characters, halves of characters.

    Args:
        keep: Such characters that stay, as line breaks.
    """
    kept = keep + JOINERS
    # Spaces other than the usual one are no printable characters either, and common in some scripts.
    return "".join(
        letter if letter.isprintable() or letter in kept or category(letter) == "Zs" else "\ufffd"
        for letter in text
    )
