"""What a report says of a search that stopped trainings and confirmed its front."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_runs import NASTY, make_failure, make_record, make_run
from search_runs import SEARCHED, TERA, confirm, make_stopped, searched_records, taken_up
from test_lessons import make_study

from experiments.record import Status, TrialRecord
from experiments.report import render_report
from experiments.report.budget import describe_budget
from experiments.report.build import build_report
from experiments.report.certainty import winners_curse
from experiments.report.content import Report, Section
from experiments.report.curves_figure import curve_lines
from experiments.report.lessons_figure import draw_lessons
from experiments.report.ranks_figure import draw_ranks
from experiments.report.stopping import most_mistakes
from experiments.search.lessons import write_lessons
from experiments.tables import curves_table, summary_table, trials_table


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    run = make_run(tmp_path_factory.mktemp("searched"), searched_records(), **SEARCHED)
    write_lessons(run)
    return build_report(run)


def find(report: Report, name: str) -> Section:
    return next(section for section in report.sections if section.name == name)


def column(table: object, title: str) -> list[str]:
    titles = [one.title for one in table.columns]  # type: ignore[attr-defined]
    return [row[titles.index(title)].text for row in table.rows]  # type: ignore[attr-defined]


def test_the_front_shows_both_losses_and_who_moved(report: Report) -> None:
    assert column(report.front, "variant") == ["trial 0", "trial 3", "trial 1", "trial 9"]
    assert column(report.front, "searched loss") == ["3.000", "3.150", "3.100", "3.200"]
    assert column(report.front, "confirmed loss") == ["3.100 ± 0.100", "3.160 ± 0.010", "3.200 ± 0.100", "–"]
    assert column(report.front, "fresh seeds") == ["3", "3", "3", "0"]
    assert column(report.front, "confirmation") == [
        "has stayed",
        "has entered",
        "has left the front",
        "not confirmed",
    ]
    assert report.front.marked == {0, 1, 3}


def test_the_answer_is_about_confirmed_losses(report: Report) -> None:
    assert "Of 9 trials, 5 were completed (4 stopped)." in report.answer
    assert "More trainings followed: 12 to confirm the front and 2 to check early stopping." in report.answer
    assert (
        "3.100 ± 0.100 nats/token (trial 0, emb_dim=128 position=rotary), confirmed with 3" in report.answer
    )
    assert "3 variants are on the front of validation loss and training FLOPs, 2 confirmed" in report.answer


def test_the_winners_curse_is_measured(report: Report) -> None:
    # By hand: +0.1, +0.1, 0 and +0.01; their deviation is 0.0550, t(3, 95 %) is 3.18.
    mean, width, count = winners_curse(summary_table(searched_records()))
    assert (mean, count) == (pytest.approx(0.0525), 4)
    assert width == pytest.approx(3.18 * 0.0550 / 2, abs=1e-3)
    told = " ".join(report.certainty)
    assert "4 architectures that came to stand on the front were trained again with 3 fresh seeds" in told
    assert "are 0.053 nats/token higher on average than those that the search saw (95 %: -0.035 to" in told
    assert "Through confirmation, trial 1 has left the front and trial 3 has entered the front." in told
    assert "1 member of the front is not confirmed" in told


def test_one_confirmed_architecture_has_no_interval() -> None:
    mean, width, count = winners_curse(summary_table([make_record(0, 3.0), *confirm(0, [3.1, 3.3])]))
    assert (mean, count) == (pytest.approx(0.2), 1)
    assert math.isnan(width)


def test_what_was_stopped_is_told_with_its_mistakes(report: Report) -> None:
    section = find(report, "stopped")
    told = " ".join(section.remarks)
    # Spent: 9 + 27 TFLOP of the front's, 3 of those taken up, 0.25 of trial 7, which saved 0.75.
    assert "Of 8 trainings of the search, 4 were stopped early. That saved 750 GFLOP, 2% of" in told
    assert "2 trainings drawn by lot were trained to the end, for another 1.25 TFLOP: 1 of them" in told
    assert "The search itself took up 1 stopped training again, from where it had been left; none" in told
    assert "Of 3 whose final loss is known, 1 ended below the optimistic view of it; at 95%" in told
    assert column(section.table, "taken up by") == [
        "trial 8 (check)",
        "trial 9 (check)",
        "trial 10 (search)",
        "",
    ]
    assert column(section.table, "mistake") == ["no", "yes", "no", "–"]
    assert column(section.table, "saved")[-1] == "750 GFLOP"
    assert report.troubled.rows == []


@given(st.integers(1, 30), st.data())
def test_as_many_mistakes_are_possible_as_one_in_twenty_samples_allows(
    checked: int, data: st.DataObject
) -> None:
    mistakes = data.draw(st.integers(0, checked))
    share = most_mistakes(mistakes, checked)
    at_most = sum(
        math.comb(checked, k) * share**k * (1 - share) ** (checked - k) for k in range(mistakes + 1)
    )
    assert at_most == pytest.approx(1.0 if mistakes == checked else 0.05)


def test_a_rule_that_stopped_none_says_so(tmp_path: Path) -> None:
    report = build_report(make_run(tmp_path, [make_record(0)], **SEARCHED))
    section = find(report, "stopped")
    assert section.remarks[0].endswith("It stopped none.")
    assert section.table.rows == []


def test_a_comparison_has_none_of_it(tmp_path: Path) -> None:
    report = build_report(make_run(tmp_path, [make_record(0), make_record(1, 3.1, 10)]))
    assert report.sections == []
    assert "confirmation" not in [one.title for one in report.front.columns]


def test_curves_of_what_was_stopped_end_early() -> None:
    records = searched_records()
    lines = curve_lines(trials_table(records), curves_table(records), summary_table(records))
    stopped = lines[lines["stopped"]]
    assert stopped["trial"].tolist() == [7]  # the others are parts of longer curves
    assert stopped["tokens"].tolist() == [250]
    assert set(lines["trial"]) == {0, 1, 2, 3, 7, 8, 9, 10}


def test_the_ranking_is_drawn_and_told(report: Report) -> None:
    section = find(report, "ranks")
    assert column(section.table, "share of budget") == ["25%", "50%", "75%"]
    assert "the order of 7 architectures agrees with that at the end with tau 0.98" in section.remarks[0]
    assert "Stopped trainings have no final loss" in section.remarks[-1]
    assert "Kendall's tau 0.98 after 25%" in section.pictures[0].description


def test_few_architectures_have_no_lessons_yet(report: Report) -> None:
    section = find(report, "lessons")
    assert section.remarks == [
        "Nothing can be said yet: 7 architectures trained to the end: it takes 8 to tell what a field does."
    ]
    assert not section.pictures


def test_lessons_are_a_panel_a_field(tmp_path: Path) -> None:
    run = make_run(tmp_path, make_study(30, 1, rotary=-0.2), **SEARCHED)
    write_lessons(run)
    section = find(build_report(run), "lessons")
    assert section.pictures[0].title == "Effect of position.kind on the loss at equal training FLOPs"
    assert len(section.pictures) == 3
    assert "learned +0." in section.pictures[0].description
    assert column(section.table, "value")[:2] == ["learned", "rotary"]
    assert "twice the training FLOPs change the loss by -0." in section.remarks[-1]


def test_nothing_is_drawn_from_nothing() -> None:
    assert draw_lessons(pd.DataFrame({"field": [], "value": []})) == []
    assert draw_ranks(pd.DataFrame({"share": []})) == []


SETS: dict[str, list[TrialRecord]] = {
    "searched": searched_records(),
    "only stopped": [make_stopped(0, 5.0), make_stopped(1, 5.1, 0.5)],
    "stopped and infeasible": [make_stopped(0, 5.0), make_failure(1, Status.INFEASIBLE, "too large")],
    "stopped without a curve": [make_stopped(0, 5.0, curve=[], train_flops=None, stopped_at=None)],
    "all failed": [make_failure(trial, Status.FAILED, "x") for trial in range(9)],
    "check failed": [
        make_stopped(0, 5.0),
        make_failure(1, Status.DIVERGED, "NaN", continues=0, purpose="check"),
    ],
    "confirmation failed": [make_record(0), make_failure(0, Status.FAILED, "x", seed=2, purpose="confirm")],
    "only confirmed": confirm(0, [3.0, 3.1, 3.2]),
    "no loss": [make_record(0, None), *confirm(0, [3.0])],
    "nasty": [
        make_record(0, 3.0, parameters={NASTY: NASTY}),
        *confirm(0, [3.1, 3.2], parameters={NASTY: NASTY}),
        make_stopped(1, 5.0, variant=NASTY, parameters={NASTY: NASTY}),
        taken_up(2, 1, 3.3, {NASTY: NASTY}, purpose="check"),
        *make_study(9, 1),
        *(
            make_record(20 + trial, 3.0 + trial / 10, parameters={NASTY: f"{NASTY}{trial}"})
            for trial in range(4)
        ),
    ],
}


@pytest.mark.parametrize("records", SETS.values(), ids=SETS)
def test_any_search_has_a_report(tmp_path: Path, records: list[TrialRecord]) -> None:
    run = make_run(tmp_path, records, **SEARCHED)
    write_lessons(run)
    html, markdown = (path.read_text() for path in render_report(run))
    for text in (html, markdown):
        words = re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL).split()
        assert not {"nan", "<NA>", "inf"} & set(words)
    assert "<script>alert" not in html
    assert "<script" not in re.sub(r"```+yaml.*?```+\n", "", markdown, flags=re.DOTALL)
    pictures = re.findall(r"\]\((figures/[^)]+)\)", markdown)
    assert all((tmp_path / picture).exists() for picture in pictures)
    assert html.count("<svg") == len(pictures) == len(set(pictures))


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"tokens": 1_000_000}, "Every variant sees 1,000,000 tokens: equal tokens"),
        ({"steps": 500}, "Every variant takes 500 steps: equal tokens where contexts are equal"),
        ({"flops": 1e15}, "Every variant spends 1.00 PFLOP of training: equal training FLOPs"),
        ({"seconds": 90}, "Every variant is trained for 1 min 30 s: equal time"),
        ({"tokens_per_param": 20.0}, "Every variant sees 20 tokens a parameter"),
    ],
)
def test_budgets_say_what_is_equal(budget: dict[str, float], told: str) -> None:
    (text,) = describe_budget({"budget": budget, "training": {"schedule": "cosine"}})
    assert text.startswith(told)
    assert text.endswith("The learning rate follows one cosine schedule over all of it.")


def test_rungs_rule_and_end_are_told() -> None:
    _, rungs, end, confirmation = describe_budget(SEARCHED)
    assert "several fidelities: rungs at 25% and 50% of this budget, after 250 k and 500 k tokens" in rungs
    assert "which holds with 95% confidence" in rungs
    assert "Up to 2 of the stopped ones" in rungs
    assert end == (
        "The search ends when 11 trials are trained or no proposal is expected to enlarge the front by 1.00% "
        "of its hypervolume, whichever comes first."
    )
    assert "trained again with 3 fresh seeds" in confirmation


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"space": {}},
        {"space": {}, "budget": None, "search": None},
        {"space": {}, "search": {"stopping": {"rule": "mine", "rungs": "all", "confidence": None}}},
        {
            "space": {},
            "search": {"stopping": None, "confirm": 0, "trials": None},
            "budget": {"tokens": "many"},
        },
    ],
)
def test_what_older_folders_lack_is_not_told(asked: dict[str, object]) -> None:
    assert describe_budget(asked) == []


def test_all_that_ends_a_search_is_told() -> None:
    spent = {"flops": 10.0 * TERA, "seconds": 3600, "trials": 20}
    (end,) = describe_budget({"space": {}, "search": spent})
    assert end == (
        "The search ends when 20 trials are trained or 10.0 TFLOP of training are spent or 1 h 00 min of "
        "trials are over, whichever comes first."
    )
