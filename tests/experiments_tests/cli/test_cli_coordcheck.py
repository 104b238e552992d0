"""The coordinate check on the command line."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Command = Callable[..., CompletedProcess[str]]
SMALL = ("--widths", "32,64,128", "--seeds", "1", "--steps", "3", "--threads", "1")


def test_mup_is_bounded_and_the_standard_one_is_not(gpt_zoo: Command) -> None:
    good = gpt_zoo("coordcheck", "gpt-micro", *SMALL)
    assert good.returncode == 0, good.stderr
    assert good.stdout.splitlines()[-1].startswith("bounded: no output grows with the width")
    heads = ["component", "step", "32", "64", "128", "slope"]
    assert [line.split() for line in good.stdout.splitlines()].count(heads) == 2
    bad = gpt_zoo("coordcheck", "gpt-micro", *SMALL, "--parametrization", "standard", "--format", "json")
    assert bad.returncode == 1
    slopes = {(row["what"], row["component"], row["step"]): row["slope"] for row in json.loads(bad.stdout)}
    assert slopes["change", "feed_forward", 3] > 0.5
    assert len(slopes) == 4 * 4 + 4 * 3  # sizes of four components at four steps, changes at three


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--widths", "64"), "--widths must be two at least, all above 0, got `64`; try 64,128,256"),
        (("--widths", "64,x"), "--widths are whole numbers with commas between, got `64,x`"),
        (("--widths", "63,64"), "cannot be 63 wide: `emb_dim` must be a multiple of `n_heads`, got 63 and 2"),
        (
            ("--widths", "48,64", "--growing", "heads"),
            "`n_heads` grows with the width and must stay a whole number, got 1.5 at 48",
        ),
    ],
)
def test_mistakes_are_told_in_a_line(gpt_zoo: Command, arguments: tuple[str, ...], said: str) -> None:
    done = gpt_zoo("coordcheck", "gpt-micro", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
