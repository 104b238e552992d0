import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_runs import NASTY, make_failure, make_record, make_run, mixed_records

from experiments.record import Status, TrialRecord
from experiments.report import FORMATS, render_report
from experiments.report.build import build_report
from experiments.report.markdown import escape, paragraph

SETS = {
    "empty": [],
    "one": [make_record(0)],
    "mixed": mixed_records(),
    "failed": [make_failure(0, Status.DIVERGED, "NaN"), make_failure(1, Status.OUT_OF_MEMORY, "needs 9 GiB")],
    "no loss": [make_record(0, None)],
    "no seconds": [make_record(0, seconds=None, memory_bytes=None, tokens_per_second=None, curve=[])],
    "same numbers": [make_record(0), make_record(1)],
    "huge": [make_record(0, 1e30, 10**25), make_record(1, 3.0, 1)],
    "nothing spent": [make_record(0, 0.0, 0, params=0, memory_bytes=0)],
}


class Page(HTMLParser):
    """Collects what a page would load, and every tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")
        ]


@pytest.mark.parametrize("records", SETS.values(), ids=SETS)
def test_any_run_has_a_report(tmp_path: Path, records: list[TrialRecord]) -> None:
    run = make_run(tmp_path, records)
    paths = render_report(run)
    assert [path.name for path in paths] == ["report.html", "report.md"]
    for path in paths:
        text = path.read_text()
        assert "Width and depth" in text
        assert "nan" not in re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL).split()
        assert "None" not in re.sub("None (has ended|of the objectives)", "", text)
    pictures = re.findall(r"\]\((figures/[^)]+)\)", paths[1].read_text())
    assert all((tmp_path / picture).exists() for picture in pictures)


def test_a_folder_with_nothing_in_it_has_a_report(tmp_path: Path) -> None:
    from experiments.run_folder import RunFolder

    (page, _) = render_report(RunFolder(tmp_path))
    assert "No trial has ended yet" in page.read_text()


def test_reports_are_the_same_bytes_again(tmp_path: Path) -> None:
    run = make_run(tmp_path, mixed_records())
    first = [path.read_bytes() for path in render_report(run)]
    assert [path.read_bytes() for path in render_report(run)] == first


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    (path,) = render_report(make_run(tmp_path, mixed_records()), ["html"])
    text = path.read_text()
    page = Page(text)
    assert all(link.startswith("#") for link in page.links)
    assert not {"link", "iframe", "img", "object", "base"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "url(" not in re.sub(r"url\(#", "", text)


def test_what_users_wrote_is_escaped_everywhere(tmp_path: Path) -> None:
    records = [
        make_record(0, variant=NASTY),
        make_record(1, parameters={NASTY: NASTY}),
        make_failure(2, Status.FAILED, NASTY, variant=NASTY),
    ]
    asked = {"description": NASTY, "data": {NASTY: [NASTY]}, "variants": [NASTY], "constraints": [NASTY]}
    run = make_run(tmp_path, records, **{**asked, "name": NASTY})
    run.environment.write_text(json.dumps({NASTY: {NASTY: NASTY}}))
    run.importances.write_text(json.dumps({"validation_loss": {NASTY: 1.0}}))
    html, markdown = (path.read_text() for path in render_report(run))
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 10
    outside = re.sub(r"```+yaml.*?```+\n", "", markdown, flags=re.DOTALL)
    assert "<script" not in outside
    assert "\n# b" not in outside
    tables = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {
        len(re.findall(r"(?<!\\)\|", line)) for line in tables if set(line) <= set("|-: ")
    }
    for picture in (tmp_path / "figures").glob("*.svg"):
        assert "<script" not in picture.read_text()


def test_passwords_are_masked(tmp_path: Path) -> None:
    url = "postgresql://user:hunter2@host/db"
    records = [make_failure(0, Status.FAILED, f"lost {url}"), make_record(1, parameters={"storage": url})]
    run = make_run(tmp_path, records, search={"storage": url}, space={"x": {"choice": [url]}})
    run.environment.write_text(json.dumps({"storage": url}))
    for path in render_report(run):
        text = path.read_text()
        assert "hunter2" not in text
        assert "postgresql://user:" in text


def test_the_answer_is_in_the_first_paragraph(tmp_path: Path) -> None:
    report = build_report(make_run(tmp_path, mixed_records()))
    assert report.answer == (
        "Of 6 trials, 3 were completed (1 duplicate, 1 infeasible, 1 diverged). "
        "The lowest validation loss is 3.000 nats/token (trial 0, emb_dim=128 attention=grouped_query), "
        "at 4.00 TFLOP of training, 1.23 M parameters and 512.0 MiB of memory. "
        "With at most half of its training FLOPs, the lowest is 3.200 (trial 2, 1.00 TFLOP). "
        "2 variants are on the front of validation loss and training FLOPs. "
        "Each was trained with one seed: differences smaller than seed noise mean nothing."
    )
    assert [row[0].text for row in report.front.rows] == ["trial 0", "trial 2"]
    assert report.trials.marked == {0, 2}
    assert [row[-1].text for row in report.troubled.rows] == [
        "same as trial 0",
        "breaks params <= 1000000",
        "the loss became NaN at step 3",
    ]
    assert "one seed only" in report.certainty[0]


def test_seeds_say_how_sure_it_is(tmp_path: Path) -> None:
    records = [
        make_record(trial, loss + offset, seed=seed)
        for trial, loss in ((0, 3.0), (1, 3.01))
        for seed, offset in ((1, -0.1), (2, 0.0), (3, 0.1))
    ]
    records.append(make_failure(1, Status.DIVERGED, "NaN", seed=4))
    report = build_report(make_run(tmp_path, records))
    certainty = " ".join(report.certainty)
    assert report.answer.startswith("Of 7 trainings (2 trials), 6 were completed (1 diverged).")
    assert "3.000 ± 0.100 nats/token (variant-0)" in report.answer
    # t(4, 95 %) = 2.78, times 0.1, times sqrt(2/3).
    assert "less than about 0.227 nats/token is within seed noise" in report.answer
    assert "varies by 0.100 nats/token" in certainty
    assert "0.010 nats/token below the next, variant-1: no more than chance explains" in certainty
    assert "Some seeds of variant-1 did not finish" in certainty


def test_what_was_run_leaves_out_what_was_not(tmp_path: Path) -> None:
    asked = {
        "data": {"tokenizer": {"kind": "bpe"}, "path": None},
        "search": {"sampler": "tpe"},
        "variants": ["nano"],
    }
    report = build_report(make_run(tmp_path, [], **asked))
    assert [(facts.heading, facts.pairs) for facts in report.setup] == [
        ("", [("objectives", "validation_loss, train_flops")]),
        ("data", [("tokenizer.kind", "bpe")]),
    ]
    assert report.declared == "variants:\n- nano\n"
    searched = build_report(make_run(tmp_path, [], **asked, space={"emb_dim": 1}))
    assert searched.setup[-1].heading == "search"


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no format is called `htm`; did you mean `html`"):
        render_report(make_run(tmp_path, []), ["htm"])
    assert list(FORMATS) == ["html", "markdown"]


def test_an_unreadable_experiment_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path, [])
    run.experiment.write_text("a: [")
    with pytest.raises(ValueError, match=r"experiment\.yaml:1:5: expected the node content"):
        render_report(run)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("`x` *y* __z__ emb_dim", r"\`x\` \*y\* \_\_z\_\_ emb_dim"),
        ("<b> & [l](u)", r"&lt;b&gt; &amp; \[l\](u)"),
        ("two\nlines", "two lines"),
        ("# no heading", r"\# no heading"),
        ("- no list", r"\- no list"),
        ("1. no list", r"1\. no list"),
        ("3.299", "3.299"),
        ("-1.5", "-1.5"),
    ],
)
def test_markdown_is_escaped(text: str, escaped: str) -> None:
    assert paragraph(text) == escaped


def test_cells_need_no_escape_at_the_start() -> None:
    assert escape("# a") == "# a"


def test_reports_import_neither_torch_nor_optuna(tmp_path: Path) -> None:
    make_run(tmp_path, mixed_records())
    program = (
        "import sys; from pathlib import Path; from experiments.run_folder import RunFolder; "
        "from experiments.report import render_report; from experiments.tables import write_tables; "
        "assert not {'pandas', 'matplotlib', 'jinja2', 'numpy.random'} & sys.modules.keys(); "
        f"run = RunFolder(Path({str(tmp_path)!r})); write_tables(run); render_report(run); "
        "print(sorted({'torch', 'optuna', 'matplotlib.pyplot'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert result.stdout.strip() == "[]"
