"""What a terminal may be sent of text that somebody else wrote."""

import pytest

from experiments.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\ufffd[2J"),
        ("a\x9b31mb\x07\x08\r", "a\ufffd31mb" + "\ufffd" * 3),
        ("abc\u202edcba", "abc\ufffddcba"),  # turns the direction of what follows
        ("half \ud800", "half \ufffd"),
        ("one\ntwo\tthree", "one\ufffdtwo\ufffdthree"),
        ("Grüße　東京 👩\u200d🔬 می\u200cخواهم", "Grüße　東京 👩\u200d🔬 می\u200cخواهم"),
    ],
)
def test_only_what_can_be_seen_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_line_breaks_stay_where_they_are_wanted() -> None:
    assert printable("one\ntwo\x1b\t", keep="\n\t") == "one\ntwo\ufffd\t"
