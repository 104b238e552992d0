"""Comparisons at equal cost, trained for real."""

from pathlib import Path
from typing import Any

import pytest
from worker_jobs import TINY

from experiments.comparison import run_comparison
from experiments.experiment import Experiment
from experiments.loading import load_experiment
from experiments.record import Status
from experiments.run_folder import RunFolder
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.model import GPTModel
from registry.errors import DeclarationError
from registry.yaml_source import load_document

HIDDEN = "feed_forward.hidden_dim"
WIDE = {**TINY, "vocab_size": 5000, "emb_dim": 32}
VARIANTS = [
    {"name": "gelu", **WIDE},
    {"name": "swiglu", **WIDE, "activation": "silu", "feed_forward": {"kind": "gated"}},
    {"name": "deep", **WIDE, "n_layers": 2, "position": {"kind": "rotary"}},
]
MATCH = {"to": "gelu", "on": "params", "by": [HIDDEN], "tolerance": 0.005}
TOKENIZERS = [{"kind": "bytes"}, {"kind": "bpe", "vocab_size": 5000}]
"""The text is too little for 5000 tokens."""


def declare(text: Path, tokenizer: dict[str, Any] = TOKENIZERS[0], **changes: Any) -> Experiment:
    corpus = {"kind": "text", "paths": [str(text)]}
    return load_experiment(
        {
            "variants": VARIANTS,
            "match": MATCH,
            "data": {"corpus": corpus, "tokenizer": tokenizer, "validation_bytes": 1500},
            "training": {"threads": 1, "batch_size": 4, "evaluations": 2},
            "budget": {"steps": 2},
            **changes,
        }
    )


@pytest.fixture(scope="module", params=TOKENIZERS, ids=["bytes", "bpe"])
def tokenizer(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


@pytest.fixture(scope="module")
def compared(text: Path, tokenizer: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_comparison(declare(text, tokenizer), tmp_path_factory.mktemp("runs") / "matched")


def test_all_that_was_trained_has_as_many_parameters(compared: RunFolder) -> None:
    records = compared.load_records()
    assert [record.status for record in records] == [Status.COMPLETE] * 3
    counts = [sum(p.numel() for p in GPTModel(GPTConfig(**record.config)).parameters()) for record in records]
    assert all(abs(count - counts[0]) <= 0.005 * counts[0] for count in counts)
    assert counts == [record.params for record in records]
    assert records[0].config["feed_forward"]["hidden_dim"] is None  # the one that others are adjusted to


def test_the_run_is_of_the_vocabulary_of_the_data(compared: RunFolder) -> None:
    outcome = load_document(compared.experiment).data["match"]["outcome"]
    [vocab_size] = {record.config["vocab_size"] for record in compared.load_records()}
    assert outcome["vocab_size"] == vocab_size < 5000
    trained = {record.variant: record.params for record in compared.load_records()}
    assert outcome["target"] == trained["gelu"]
    assert {name: told["cost"] for name, told in outcome["variants"].items()} == {
        name: trained[name] for name in ("swiglu", "deep")
    }


def test_a_bytes_tokenizer_is_known_when_the_file_is_read(text: Path) -> None:
    gelu, swiglu, _ = declare(text).variants
    assert gelu.config.feed_forward.hidden_dim is None  # type: ignore[attr-defined]
    # 2·32·128 + 128 + 32 = 8,352 against 3·32·F: 87 exactly.
    assert swiglu.config.feed_forward.hidden_dim == 87  # type: ignore[attr-defined]
    assert swiglu.config.vocab_size == 5000  # the tokenizer's replaces it when it is trained


def test_the_same_call_goes_on(text: Path, tokenizer: dict[str, Any], compared: RunFolder) -> None:
    before = [(path, path.stat().st_mtime_ns) for path in sorted((compared.path / "trials").iterdir())]
    run_comparison(declare(text, tokenizer), compared.path)
    assert before == [(path, path.stat().st_mtime_ns) for path, _ in before]
    with pytest.raises(ValueError, match=r"holds another experiment: match\.tolerance"):
        run_comparison(declare(text, tokenizer, match={**MATCH, "tolerance": 0.02}), compared.path)


def test_the_resolved_experiment_stands_on_its_own(compared: RunFolder, tmp_path: Path) -> None:
    again = load_experiment(compared.experiment)
    assert again.to_data() == load_document(compared.experiment).data
    run = run_comparison(again, tmp_path / "again")
    assert [record.config for record in run.load_records()] == [
        record.config for record in compared.load_records()
    ]
    assert run.experiment.read_text() == compared.experiment.read_text()


def test_what_was_matched_before_is_not_taken_for_something_else(compared: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"`swiglu` was matched to params [\d,]+, and has"):
        load_experiment(compared.experiment, {f"variants[1].{HIDDEN}": 90})
    with pytest.raises(DeclarationError, match=r"`swiglu` was matched .* and is not there"):
        load_experiment(compared.experiment, variants=VARIANTS[:1])
    other = load_experiment(compared.experiment, {"data.tokenizer": {"kind": "bpe", "vocab_size": 260}})
    with pytest.raises(DeclarationError, match="token ids, the data has 260"):
        run_comparison(other, tmp_path / "other")


def test_the_report_says_what_was_changed(compared: RunFolder) -> None:
    report = (compared.path / "report.md").read_text()
    told = load_document(compared.experiment).data["match"]["outcome"]["variants"]["swiglu"]
    assert f"{HIDDEN} 88 → 87; params {told['cost']:,}" in " ".join(report.split())


def test_the_memory_is_that_of_a_step_of_the_training(text: Path) -> None:
    match = {**MATCH, "on": "memory", "tolerance": 0.05}
    targets = {}
    for batch_size in (4, 64):
        training = {"threads": 1, "batch_size": batch_size}
        asked = declare(text, match=match, training=training).config.match
        assert asked is not None
        assert asked.outcome is not None
        targets[batch_size] = asked.outcome.target
    assert targets[64] > 4 * targets[4]


def test_the_target_may_be_a_file_which_is_not_needed_again(text: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    target.write_text("extends: gpt-micro\nn_layers: 3\n")
    run = run_comparison(
        declare(text, match={"to": str(target), "by": ["emb_dim", HIDDEN]}), tmp_path / "run"
    )
    target.unlink()
    again = load_experiment(run.experiment)
    assert [variant.config for variant in again.variants] == [
        GPTConfig.model_validate(data)
        for data in (
            {key: value for key, value in variant.items() if key != "name"}
            for variant in load_document(run.experiment).data["variants"]
        )
    ]


def test_what_is_not_among_the_variants_is_found_in_the_catalog(text: Path) -> None:
    match = {"to": "gpt-micro", "by": ["emb_dim", HIDDEN]}
    asked = declare(text, match=match).config.match
    assert asked is not None
    assert asked.outcome is not None
    assert asked.outcome.target == 120_576
    assert set(asked.outcome.variants) == {"gelu", "swiglu", "deep"}


FILE = """\
variants: [gpt-micro, {name: slim, extends: gpt-micro, feed_forward: {kind: gated}}]
budget: {steps: 1}
match:
  to: gpt-micro
  by: [emb_dim]
  tolerance: 0.0001
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", "3:1: match: slim does not come within 0.0001 of `params` of gpt-micro, 120,576"),
        ("[emb_dim]", "[emb_dims]", "3:1: match: `emb_dims` is no whole number"),
        ("to: gpt-micro", "to: gpt-mcro", "4:3: no variant is called `gpt-mcro`"),
        (
            "by:",
            "on: parms\n  by:",
            "3:1: match: variants cannot be matched on `parms`; did you mean `params`",
        ),
        ("by:", "bye:", "5:3: match.bye: unknown key `bye`; did you mean `by`?"),
        (
            FILE.splitlines()[0],
            "space: {extends: gpt-micro}",
            "3:1: match: `match` adjusts the variants of a",
        ),
    ],
)
def test_mistakes_are_told_where_they_stand(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE.replace(old, new) if old else FILE)
    with pytest.raises(DeclarationError) as error:
        load_experiment(path)
    assert f"{path}:{message}" in str(error.value)
