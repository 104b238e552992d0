"""An audit as people see it: on the terminal, as a page, and as JSON."""

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console
from small_audits import NANO, declare

from experiments.audit.content import Audit, Time, Timing
from experiments.audit.page import render_audit_page
from experiments.audit.run import run_audit, write_audit
from experiments.audit.terminal import render_audit
from experiments.audit.wording import say_share
from experiments.report import render_report
from experiments.run_folder import RunFolder

SPACE = {
    "n_heads": {"choice": [2, 4, 5]},
    "n_layers": {"int": {"low": 1, "high": 3}},
    "attention": {"choice": [{"kind": "multi_head"}, {"kind": "grouped_query", "n_kv_heads": 2}]},
}
TIME = Time(90.0, 60.0, 150.0, 4, (Timing("point 0", 1e9, 1e6, 7, 0.125, 2.0),), ("Nobody else computes.",))


@pytest.fixture
def audit() -> Audit:
    limits = ["params <= 40_000", "memory_bytes <= 1GiB"]
    made = run_audit(
        declare(SPACE, constraints=limits, description="<b>two</b>\n\nparts"), measure_seconds=None
    )
    return replace(made, time=TIME)


def on_terminal(audit: Audit) -> str:
    console = Console(file=io.StringIO(), width=140)
    render_audit(audit, console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_terminal_tells_all_parts(audit):
    text = on_terminal(audit)
    assert text.startswith("18 points: ")
    for told in (
        "6 (33.3 %)",  # 5 heads divide no width of 24
        "n_heads: `emb_dim` must be a multiple of `n_heads`",
        "memory_bytes is measured by the training",
        "n_heads=2 n_layers=1 attention=grouped_query",
        "4 trainings take about 1 min 30 s, most likely 1 min 00 s to 2 min 30 s",
        "125 ms",
        "Nobody else computes.",
    ):
        assert told in " ".join(text.split()), told
    bars = re.findall(r"^ \S+ \S* ?– +([█░]+) +(\d+)", text, re.MULTILINE)
    assert sum(int(count) for _, count in bars) >= 12


def test_the_page_holds_the_same_and_escapes_it(audit):
    page = render_audit_page(replace(audit, name="<script>alert(1)</script>"))
    assert "<script>alert(1)" not in page
    assert "<b>two" not in page
    assert "&lt;b&gt;two&lt;/b&gt;" in page
    assert page.count("<svg") == 3
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    for told in ("6 (33.3 %)", "params &lt;= 40_000", "4 trainings take about 1 min 30 s", "125 ms"):
        assert told in page, told
    assert not re.search(r"(?:src|href)=\"(?!#|report\.html)", page)


def test_data_comes_back_from_json(audit):
    data = json.loads(json.dumps(audit.to_data()))
    assert data["invalid"]["examined"] == 6
    assert data["rules"][0]["count"] == {
        "examined": 6,
        "share": 6 / 18,
        "estimate": 6,
        "low": 6 / 18,
        "high": 6 / 18,
    }
    assert data["time"]["timings"][0]["seconds_per_step"] == 0.125
    assert data["cheapest"]["parameters"]["n_layers"] == 1


def test_the_report_leads_to_the_audit_that_lies_beside_it(audit, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.experiment.write_text("name: small\nobjectives: [validation_loss, params]\n")
    render_report(run)
    assert "audit.html" not in (run.path / "report.html").read_text() + (run.path / "report.md").read_text()
    assert write_audit(audit, run.path) == run.path / "audit.html"
    render_report(run)
    assert 'href="audit.html"' in (run.path / "report.html").read_text()
    assert "(audit.html)" in (run.path / "report.md").read_text()


def test_an_audit_of_nothing_valid_is_shown(tmp_path):
    audit = run_audit(declare(NANO | {"n_heads": {"choice": [5, 7]}}), measure_seconds=None)
    assert "0 can be trained" in on_terminal(audit)
    assert "No point can be trained" in render_audit_page(audit)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.0001, "< 0.1 %"), (0.9999, "> 99.9 %"), (1 / 3, "33.3 %")],
)
def test_what_is_not_quite_all_is_not_told_as_all(share, told):
    assert say_share(share) == told
