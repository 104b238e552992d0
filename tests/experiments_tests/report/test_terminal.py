import io

from report_runs import make_record, mixed_records
from rich.console import Console

from experiments.record import TrialRecord
from experiments.tables import summary_table, trials_table
from experiments.terminal import compact, render_front, render_trials


def printed(records: list[TrialRecord], width: int = 100, **options: bool) -> str:
    console = Console(file=io.StringIO(), width=width, **options)  # type: ignore[arg-type]
    render_trials(trials_table(records), console)
    render_front(summary_table(records), console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_tables_fit_a_hundred_columns() -> None:
    text = printed(mixed_records())
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "grouped_query" in text
    assert "attention=" not in text  # the word tells by itself
    assert "no more" not in text
    for number in ("3.000", "1.23M", "4.00T", "512MiB", "12.5s", "diverged", "duplicate"):
        assert number in text


def test_the_front_is_marked() -> None:
    rows = [line for line in printed(mixed_records(), width=160).splitlines() if "complete" in line]
    assert [line.lstrip().startswith("●") for line in rows] == [True, False, True]


def test_names_are_no_markup() -> None:
    text = printed([make_record(0, variant="[red]x[/red] [/]\x1b[31m")], width=200)
    assert "[red]x[/red] [/]" in text
    assert "\x1b" not in text


def test_nothing_has_tables_too() -> None:
    assert "No variant is on the front" in printed([])


def test_seeds_have_a_column() -> None:
    records = [make_record(0, 3.0, seed=1), make_record(0, 3.2, seed=2)]
    assert "3.100 ± 0.141" in printed(records, width=120)


def test_numbers_are_compact() -> None:
    assert compact("memory_bytes", 104.4 * 2**20) == "104MiB"
    assert compact("memory_bytes", 1.5 * 2**30) == "1.5GiB"
    assert compact("seconds", 245.0) == "4:05"
    assert compact("seconds", 7380.0) == "2:03:00"
    assert compact("train_flops", 3.4e12) == "3.40T"
    assert compact("params", None) == "–"
