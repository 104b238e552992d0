"""`gpt-zoo audit`, as a person runs it."""

import json

import pytest


def test_an_audit_is_printed_and_written_beside_the_report(gpt_zoo, tmp_path):
    done = gpt_zoo(
        "audit", "demo", "--no-measure", "--set", "constraints=[params <= 1e5, memory_bytes <= 1GiB]"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2,304 points: ")
    assert "memory_bytes is measured by the" in " ".join(done.stdout.split())
    assert "Audit: runs/demo/audit.html" in done.stdout
    assert "<svg" in (tmp_path / "runs/demo/audit.html").read_text()


def test_json_is_all_of_standard_output(gpt_zoo, tmp_path):
    options = ["--format", "json", "--points", "200", "--seed", "3", "--out", "here", "--no-measure"]
    done = gpt_zoo("audit", "demo", *options)
    audit = json.loads(done.stdout)
    assert (audit["size"], audit["examined"], audit["sampled"]) == (2304, 200, True)
    assert audit["valid"]["estimate"] == 2304
    assert audit["time"] is None
    assert (tmp_path / "here/audit.html").is_file()


@pytest.mark.slow
def test_it_tells_how_long_the_search_will_take_and_leaves_it_to_be_run(gpt_zoo, tmp_path):
    smaller = ["--set", "space.context_length=32", "--set", "search.trials=1"]
    done = gpt_zoo("audit", "demo", *smaller, "--format", "json", quick=True)
    assert done.returncode == 0, done.stderr
    time = json.loads(done.stdout)["time"]
    assert time["trainings"] == 1
    assert 0 < time["low"] < time["seconds"] < time["high"]
    assert gpt_zoo("search", "demo", *smaller, quick=True).returncode == 0
    assert 'href="audit.html"' in (tmp_path / "runs/demo/report.html").read_text()


def test_what_is_wrong_is_told_in_a_line(gpt_zoo):
    for arguments, told in (
        (["dmeo"], "did you mean `demo`?"),
        (["demo", "--points", "0"], "a table has at least 1 point, got 0"),
        (["demo", "--set", "data.tokenizer={kind: file, path: nowhere.json}"], "nowhere.json"),
    ):
        answer = gpt_zoo("audit", *arguments, "--no-measure")
        assert (answer.returncode, "Traceback" in answer.stderr) == (1, False)
        assert told in answer.stderr
