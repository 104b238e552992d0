"""One model declared in two ways is trained once."""

from pathlib import Path

from worker_jobs import TINY

from experiments.comparison import run_comparison
from experiments.loading import load_experiment
from experiments.record import Status


def test_a_model_that_is_declared_otherwise_is_answered_from_its_record(text: Path, tmp_path: Path) -> None:
    heads = {"kind": "grouped_query", "n_kv_heads": TINY["n_heads"]}
    experiment = load_experiment(
        {
            "variants": [{"name": "one", **TINY}, {"name": "other", **TINY, "attention": heads}],
            "data": {"corpus": {"kind": "text", "paths": [str(text)]}, "validation_bytes": 1500},
            "training": {"threads": 1, "batch_size": 4, "evaluations": 1},
            "budget": {"steps": 2},
        }
    )
    one, other = run_comparison(experiment, tmp_path / "run").load_records()
    assert one.status is Status.COMPLETE
    assert other.status is Status.DUPLICATE
    assert other.reason == "the same model, declared otherwise, and seed as trial 0"
    assert (other.validation_loss, other.params) == (one.validation_loss, one.params)
    assert other.config["attention"]["kind"] == "grouped_query"
    assert other.config_hash != one.config_hash
