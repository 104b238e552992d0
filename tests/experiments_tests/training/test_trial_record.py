import math
from pathlib import Path
from typing import Any

import pytest
from tiny_trainings import job_for, tiny

from experiments.data.config import DataConfig
from experiments.data.tokens import Tokens, load_tokens
from experiments.progress import Silent
from experiments.record import Status, TrialRecord
from experiments.trial import run_trial
from gpt_zoo.checkpoint import load_checkpoint
from gpt_zoo.config.feed_forward.plain import FeedForwardConfig
from gpt_zoo.model import GPTModel


def test_the_record_says_what_was_spent_and_bought(tokens: Tokens, tmp_path: Path) -> None:
    record = run_trial(job_for(tokens, tmp_path, gradient_accumulation=2), Silent())
    assert (record.status, record.reason) == (Status.COMPLETE, "")
    assert (record.steps, record.tokens) == (6, 6 * 2 * 4 * 16)
    # Multiply-accumulates of a sequence of 16: four maps 16 x 16 and two 16 x 64 a token; for 16 x 16 pairs
    # 16 numbers for scores and as many for values; and the logits of 256 ids a token.
    macs = 16 * (4 * 16 * 16 + 2 * 16 * 64) + 2 * 16 * 16 * 16 + 16 * 16 * 256
    assert record.train_flops == 48 * 3 * 2 * macs
    last = record.curve[-1]
    assert (last.step, last.tokens, last.train_flops) == (6, record.tokens, record.train_flops)
    assert record.validation_loss == last.validation_loss
    assert record.seconds is not None
    assert record.tokens_per_second == pytest.approx(768 / record.seconds)


def test_perplexity_and_bits_per_byte_by_hand(tokens: Tokens, tmp_path: Path) -> None:
    record = run_trial(job_for(tokens, tmp_path), Silent())
    assert record.validation_loss is not None
    assert record.perplexity == pytest.approx(math.exp(record.validation_loss))
    # One separator stands before each document: it is predicted, but the first, and is no byte of the text.
    predicted = tokens.validation_bytes + tokens.validation_documents - 1
    nats = record.validation_loss * predicted
    assert record.bits_per_byte == pytest.approx(nats / math.log(2) / tokens.validation_bytes)


def test_bits_per_byte_compare_tokenizers_of_the_same_text(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPT_ZOO_CACHE", str(tmp_path / "cache"))
    text = [str(tmp_path / f"{number}.txt") for number in range(6)]
    for number, path in enumerate(text):
        Path(path).write_text(f"so says the bird number {number} of the sea to all under the sky " * 20)
    data = {
        "corpus": {"kind": "text", "paths": text},
        "tokenizer": {"kind": "bpe", "vocab_size": 300},
        "validation_bytes": 1000,
    }
    pairs = load_tokens(DataConfig.model_validate(data))
    record = run_trial(job_for(pairs, tmp_path, tiny(vocab_size=pairs.vocab_size)), Silent())
    assert record.validation_loss is not None
    nats = record.validation_loss * (len(pairs.validation) - 1)
    assert record.bits_per_byte == pytest.approx(nats / math.log(2) / pairs.validation_bytes)
    assert len(pairs.validation) < pairs.validation_bytes


def test_a_training_that_diverges_is_a_row_of_finite_numbers(tokens: Tokens, tmp_path: Path) -> None:
    job = job_for(tokens, tmp_path, learning_rate=1e30, budget={"steps": 50}, save_weights=True)
    record = run_trial(job, Silent())
    assert record.status is Status.DIVERGED
    assert "loss became" in record.reason
    assert record.steps is not None
    assert 0 < record.steps < 50
    assert record.validation_loss is record.perplexity is record.bits_per_byte is None
    text = record.model_dump_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert TrialRecord.model_validate_json(text) == record
    assert not job.weights.exists()


def test_trained_weights_are_kept_where_they_are_asked_for(tokens: Tokens, tmp_path: Path) -> None:
    job = job_for(tokens, tmp_path, save_weights=True)
    run_trial(job, Silent())
    model = load_checkpoint(job.weights)
    fresh = GPTModel(tiny())
    assert model.config == tiny()
    assert (model.head.weight - fresh.head.weight).abs().max() > 0.01


class HalfCounted(FeedForwardConfig):
    """A component whose formula forgets one of its two maps."""

    kind: str = "half_counted"

    def macs(self, model: Any, time: int) -> Any:
        whole = super().macs(model, time)
        return type(whole)(whole.linear // 2, whole.attention, whole.attention_causal)


def test_a_formula_that_does_not_count_what_is_computed_stops_the_trial(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpt_zoo.config.slot import KINDS

    monkeypatch.setitem(KINDS["feed_forward"], "half_counted", HalfCounted)
    config = tiny(feed_forward={"kind": "half_counted"})
    missing = 2 * 16 * 16 * 64
    with pytest.raises(RuntimeError, match=r"fvcore counts \d+ .* but the closed form gives") as error:
        run_trial(job_for(tokens, tmp_path, config), Silent())
    counted, formula = (int(word) for word in str(error.value).split() if word.isdigit())
    assert counted - formula == missing
