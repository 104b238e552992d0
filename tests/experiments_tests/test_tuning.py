"""What `auto` means, by measurements that are given."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from experiments.comparison import run_comparison
from experiments.doctor import examine, keep_machine, load_machine, load_tuning, machine_key, measure_machine
from experiments.doctor_table import render_health
from experiments.loading import load_experiment
from experiments.prediction import foresee
from experiments.progress import Silent
from experiments.run_folder import RunFolder
from experiments.run_tuning import find_tuning, settle_tuning
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.step import training_step
from experiments.tuning import Tuning, describe, needs_tuning, resolve
from experiments.worker import Worker
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import TrainingStep, training_memory

NANO = {"vocab_size": 256, "context_length": 128, "emb_dim": 128, "n_heads": 4, "n_layers": 4}
EXPLICIT = {"precision": "float32", "attention_backend": "fused", "compile": "off"}
AUTO = TrainingConfig()


def tuning_with(
    gains: dict[tuple[str, int, int], float] | None = None, device: str = "cpu", **fields: Any
) -> Tuning:
    """A device on which writing attention out gains so much, by precision, size of a head and context."""
    attention = [
        {
            "precision": precision,
            "heads": 2,
            "head_dim": head_dim,
            "context_length": context,
            "batch_size": 1,
            "fused_seconds": gain,
            "written_out_seconds": 1.0,
        }
        for (precision, head_dim, context), gain in (gains or {}).items()
    ]
    peaks = {"float32_flops_per_second": 100e9, "bfloat16_flops_per_second": 200e9}
    declared = {
        "name": "this",
        "label": "a device",
        "memory_bytes": 2**34,
        "bandwidth_bytes_per_second": 50e9,
        "source": "made up",
        "device": device,
        "threads": 1,
        "attention": attention,
    }
    return Tuning.model_validate({**declared, **peaks, **fields})


def config_with(**fields: Any) -> GPTConfig:
    return GPTConfig.model_validate({**NANO, **fields})


def settled(
    tuning: Tuning | None,
    device: str = "cpu",
    config: GPTConfig | None = None,
    steps: int | None = 100,
    **training: Any,
) -> TrainingConfig:
    return resolve(TrainingConfig(**training), config or config_with(), device, tuning, steps)


def test_without_measurements_a_training_is_plain() -> None:
    chosen = settled(None)
    assert describe(chosen) == "float32, fused attention, no compile"
    assert (chosen.loss_chunks, chosen.cuda_graphs) == (1, "off")


def test_what_is_declared_stays() -> None:
    declared = TrainingConfig(
        precision="bfloat16",
        attention_backend="fused",
        compile="full",
        loss_chunks=3,
        cuda_graphs="off",
        recompute=True,
    )
    tuning = tuning_with({("bfloat16", 32, 2048): 9.0})
    assert resolve(declared, config_with(), "cpu", tuning, 10) == declared
    assert describe(declared) == "bfloat16, fused attention, full compile, loss in 3 parts, layers recomputed"
    chosen = resolve(AUTO, config_with(), "cpu", tuning, 10)
    assert resolve(chosen, config_with(vocab_size=50257), "cuda", None, 10**9) == chosen


@pytest.mark.parametrize(
    ("device", "bfloat16", "precision"),
    [
        ("cpu", 130e9, "bfloat16_master"),
        ("cpu", 129e9, "float32"),
        ("cpu", 20e9, "float32"),  # without instructions for it
        ("cuda", 900e9, "bfloat16_master"),
        ("mps", 900e9, "float32"),
    ],
)
def test_bfloat16_is_chosen_where_it_is_much_faster(device: str, bfloat16: float, precision: str) -> None:
    tuning = tuning_with(device=device, bfloat16_flops_per_second=bfloat16)
    assert settled(tuning, device).precision == precision


GAINS = {
    ("float32", 32, 64): 1.1,
    ("float32", 32, 128): 0.9,
    ("bfloat16", 32, 64): 6.0,
    ("bfloat16", 32, 128): 4.0,
    ("bfloat16", 32, 256): 1.04,
    ("bfloat16", 64, 64): 2.0,
    ("bfloat16", 64, 128): 0.5,
}


def test_the_crossing_is_the_longest_context_that_gains() -> None:
    tuning = tuning_with(GAINS)
    assert tuning.crossing("float32", 32) == 64
    assert tuning.crossing("bfloat16", 32) == 128  # 4% at 256 may be chance
    assert tuning.crossing("bfloat16", 40) == 128  # nearest are heads of 32
    assert tuning.crossing("bfloat16", 128) == 64
    assert tuning_with({("float32", 32, 64): 0.5}).crossing("float32", 32) is None
    assert tuning_with().crossing("float32", 32) is None


@pytest.mark.parametrize(
    ("precision", "model", "backend"),
    [
        ("float32", {"context_length": 64}, "written_out"),
        ("float32", {"context_length": 65}, "fused"),
        ("bfloat16", {"context_length": 128}, "written_out"),
        ("bfloat16_master", {"context_length": 16}, "written_out"),
        ("bfloat16_master", {"context_length": 129}, "fused"),
        ("bfloat16_master", {"context_length": 128, "n_heads": 2}, "fused"),  # heads of 64
        ("bfloat16_master", {"attention": {"kind": "gated_linear"}}, "fused"),  # which has no softmax
    ],
)
def test_attention_goes_by_context_precision_and_heads(
    precision: str, model: dict[str, Any], backend: str
) -> None:
    chosen = settled(tuning_with(GAINS), config=config_with(**model), precision=precision)
    assert chosen.attention_backend == backend


@pytest.mark.parametrize(
    ("batch", "recompute", "backend"),
    [(1024, False, "written_out"), (1025, False, "fused"), (1025, True, "written_out")],
)
def test_attention_is_not_written_out_where_that_takes_much_memory(
    batch: int, recompute: bool, backend: str
) -> None:
    # 4 layers x 4 heads x 128² weights x 2 bytes = 512 KiB a sequence, of 512 MiB; recomputed, a quarter.
    chosen = settled(tuning_with(GAINS), precision="bfloat16", batch_size=batch, recompute=recompute)
    assert chosen.attention_backend == backend


@pytest.mark.parametrize(
    ("batch", "context", "vocab", "chunks"),
    [
        (16, 128, 8192, 1),  # 16 x 128 x 8192 x 4 = 2²⁶ bytes
        (16, 128, 8193, 2),
        (8, 1024, 50257, 25),  # 1.6 GB / 2²⁶ = 24.54
        (1, 2, 2**26, 2),  # no more parts than tokens
    ],
)
def test_large_logits_are_cut(batch: int, context: int, vocab: int, chunks: int) -> None:
    config = config_with(context_length=context, vocab_size=vocab)
    assert settled(None, config=config, batch_size=batch).loss_chunks == chunks


def test_a_long_training_on_cuda_is_compiled() -> None:
    tuning = tuning_with(
        device="cuda", float32_flops_per_second=1e12, bandwidth_bytes_per_second=1e18, kernels="cuda"
    )
    config = config_with()  # memory is so fast that a step takes its FLOPs / 1e12 seconds
    step = foresee(config, TrainingConfig(**EXPLICIT), BudgetConfig(steps=1), "cpu").record["train_flops"]
    # Attention is counted in full there, and causal in the estimate: a few percent less.
    enough = 180 / (step / 1e12)  # 30 s / (1 - 1/1.2)
    arguments = {"precision": "float32", "cuda_graphs": "off"}
    assert settled(tuning, "cuda", steps=round(1.2 * enough), **arguments).compile == "regional"
    assert settled(tuning, "cuda", steps=round(0.9 * enough), **arguments).compile == "off"
    assert settled(
        tuning, "cuda", steps=round(0.3 * enough), gradient_accumulation=4, **arguments
    ).compile == ("regional")
    assert settled(tuning, "cuda", steps=None, **arguments).compile == "off"
    assert settled(tuning, "cpu", steps=10**9, **arguments).compile == "off"


def test_small_models_are_replayed_on_cuda() -> None:
    tuning = tuning_with(device="cuda", kernels="cuda")
    expert = {"kind": "gated", "hidden_dim": 11}
    mixture = {"kind": "mixture_of_experts", "n_experts": 3, "n_experts_per_token": 1, "expert": expert}
    wide = config_with(emb_dim=512, n_layers=2)  # 2 x 12 x 512² = 6.3 M
    assert settled(tuning, "cuda").cuda_graphs == "on"
    assert settled(tuning, "cuda", compile="regional").cuda_graphs == "off"
    assert settled(tuning, "cuda", config=wide).cuda_graphs == "off"
    assert settled(tuning, "cuda", config=config_with(feed_forward=mixture)).cuda_graphs == "off"
    assert settled(tuning, "cpu").cuda_graphs == "off"
    with pytest.raises(ValueError, match=r"cuda_graphs: on` needs a device of CUDA, got cpu; leave it out"):
        settled(tuning, "cpu", cuda_graphs="on")


def test_the_prediction_is_that_of_the_settled_training() -> None:
    training = TrainingConfig(
        batch_size=6,
        precision="bfloat16_master",
        attention_backend="written_out",
        loss_chunks=5,
        recompute=True,
        optimizer="lion",
    )
    step = TrainingStep(
        6, None, "bfloat16_master", "lion", fused_attention=False, recompute=True, loss_chunks=5
    )
    assert training_memory(config_with(), training_step(training)) == training_memory(config_with(), step)


class Listening(Silent):
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def update(self, done: float, note: str = "") -> None:
        self.told.append(note)

    def message(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPT_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_nothing_is_needed_where_all_is_declared(cache: Path, tmp_path: Path) -> None:
    explicit = TrainingConfig.model_validate(EXPLICIT)
    assert not needs_tuning(explicit, "cuda")
    assert not needs_tuning(TrainingConfig(precision="float32", attention_backend="fused"), "cpu")
    assert needs_tuning(TrainingConfig(precision="float32", attention_backend="fused"), "cuda")
    run = RunFolder(tmp_path / "run")
    with Worker(tmp_path / "log") as worker:
        assert settle_tuning(run, explicit, "cpu", worker, Silent()) is None
        assert worker.process is None
    assert not run.tuning.exists()
    assert not cache.exists()


def test_a_run_keeps_what_it_was_tuned_by(cache: Path, tmp_path: Path) -> None:
    first, second = tuning_with(GAINS), tuning_with(GAINS, bfloat16_flops_per_second=1e9)
    run, worker = RunFolder(tmp_path / "run"), Worker(tmp_path / "log")
    keep_machine(machine_key(), [first])
    assert load_tuning("cpu") == first
    assert load_tuning("cuda") is None
    assert load_tuning("cpu", machine_key().threads + 1) is None
    assert settle_tuning(run, AUTO, "cpu", worker, Silent()) == first
    keep_machine(machine_key(), [second])
    assert settle_tuning(run, AUTO, "cpu", worker, Silent()) == first
    assert settle_tuning(RunFolder(tmp_path / "new"), AUTO, "cpu", worker, Silent()) == second
    run.tuning.write_text('{"device": "cpu"}')
    with pytest.raises(ValidationError):
        settle_tuning(run, AUTO, "cpu", worker, Silent())


def test_what_an_older_version_kept_is_measured_anew(cache: Path) -> None:
    keep_machine(machine_key(), [tuning_with()])
    (file,) = (cache / "machine").glob("*.json")
    kept = json.loads(file.read_text())
    for name in ("device", "threads", "attention"):
        del kept["devices"][0][name]
    file.write_text(json.dumps(kept))
    assert load_machine() == []


def test_predictions_know_what_is_kept(cache: Path) -> None:
    config, budget = config_with(), BudgetConfig(steps=2)
    plain = foresee(config, AUTO, budget, "auto").record
    assert plain == foresee(config, TrainingConfig.model_validate(EXPLICIT), budget, "cpu").record
    keep_machine(machine_key(), [tuning_with(GAINS)])
    tuned = foresee(config, AUTO, budget, "auto").record
    chosen = TrainingConfig(precision="bfloat16_master", attention_backend="written_out")
    assert tuned == foresee(config, chosen, budget, "cpu").record
    assert tuned["predicted_memory_bytes"] < plain["predicted_memory_bytes"]


def test_doctor_shows_what_is_chosen_by() -> None:
    tunings = [tuning_with(GAINS)]
    rows = [line.split() for line in render_health(examine(), tunings, "table").splitlines()]
    assert ["attention", "precision", "heads", "64", "128", "256"] in rows
    assert ["cpu", "float32", "2", "x", "32", "1.10", "0.90", "–"] in rows
    assert ["cpu", "bfloat16", "2", "x", "32", "6.00", "4.00", "1.04"] in rows
    (told,) = json.loads(render_health(examine(), tunings, "json"))["devices"]
    assert Tuning.model_validate(told) == tunings[0]


def test_the_worker_measures_once_and_for_all(cache: Path, tmp_path: Path) -> None:
    heard = Listening()
    with Worker(tmp_path / "log") as worker:
        tuning = find_tuning(TrainingConfig(threads=1), "cpu", worker, heard)
    assert tuning is not None
    assert (tuning.device, tuning.threads) == ("cpu", 1)
    assert tuning.bfloat16_flops_per_second is not None
    assert {time.precision for time in tuning.attention} == {"float32", "bfloat16"}
    assert load_tuning("cpu", 1) == tuning
    assert any("attention in bfloat16" in note for note in heard.told)
    # Another process that wanted to measure as well takes what is kept.
    assert measure_machine(threads=1) == [tuning]


def test_a_machine_that_cannot_be_measured_is_told_of(cache: Path, tmp_path: Path) -> None:
    run, heard = RunFolder(tmp_path / "run"), Listening()
    beyond = TrainingConfig(threads=2**40)  # torch counts threads in 32 bits
    with Worker(tmp_path / "log") as worker:
        assert settle_tuning(run, beyond, "cpu", worker, heard) is None
    assert "could not be measured" in heard.told[-1]
    assert run.tuning.read_text() == "null"  # the run goes on as it began


def test_the_trainings_of_a_run_keep_their_means(cache: Path, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.mkdir()
    for number in range(12):
        (text / f"{number}.txt").write_text(f"the sea {number} and the grey sky over it " * 20)
    small = {**NANO, "emb_dim": 32, "n_heads": 1, "n_layers": 1}
    data: dict[str, Any] = {
        "variants": [{"name": f"t{time}", **small, "context_length": time} for time in (16, 129)],
        "data": {"corpus": {"kind": "text", "paths": [str(text)]}, "validation_bytes": 1500},
        "training": {"threads": 1, "batch_size": 2, "evaluations": 1, "device": "cpu"},
        "budget": {"steps": 2},
    }
    keep_machine(machine_key(1), [tuning_with(GAINS)])
    run_comparison(load_experiment(data), tmp_path / "run")
    keep_machine(machine_key(1), [tuning_with()])
    run = run_comparison(load_experiment({**data, "seeds": [0, 1]}), tmp_path / "run")
    told = [(one.seed, one.status, one.precision, one.attention_backend) for one in run.load_records()]
    assert sorted(told) == [
        (seed, "complete", "bfloat16_master", backend)
        for seed in (0, 1)
        for backend in ("fused", "written_out")
    ]
    other = {**data, "training": {**data["training"], "cuda_graphs": "on"}}
    with pytest.raises(ValueError, match="needs a device of CUDA, got cpu"):
        run_comparison(load_experiment(other), tmp_path / "other")
    assert not RunFolder(tmp_path / "other").experiment.exists()  # nothing is claimed by a mistake


def test_choosing_needs_no_torch() -> None:
    code = "import sys, experiments.run_tuning, experiments.prediction; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
