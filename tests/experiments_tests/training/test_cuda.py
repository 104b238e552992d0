"""What only a GPU can show. Losses are held against those of the same training on the CPU, in float32."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_trainings import job_for, tiny
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.data.batches import TrainBatches
from experiments.data.prefetch import BatchLoader
from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.record import Status, TrialRecord
from experiments.training.cuda_graph import GraphedStep
from experiments.trial import run_trial
from experiments.worker import Worker
from gpt_zoo.cost.memory import TrainingStep, training_memory

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

DEVICE = "cuda"
PLAIN = {
    "precision": "float32",
    "attention_backend": "written_out",
    "loss_chunks": 1,
    "compile": "off",
    "cuda_graphs": "off",
    "budget": {"steps": 12},
}
CONFIG = tiny(context_length=32, emb_dim=32, n_layers=2, drop_rate=0.0)


def trained(tokens: Tokens, folder: Path, device: str = DEVICE, **changes: Any) -> TrialRecord:
    record = run_trial(job_for(tokens, folder, CONFIG, **{**PLAIN, "device": device, **changes}), Silent())
    assert record.status is Status.COMPLETE
    return record


def losses(record: TrialRecord) -> list[float]:
    found = [(point.train_loss, point.validation_loss) for point in record.curve]
    return [loss for pair in found for loss in pair if loss is not None]


@pytest.fixture(scope="module")
def on_cpu(tokens: Tokens, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    return losses(trained(tokens, tmp_path_factory.mktemp("cpu"), "cpu"))


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(tmp_path / "worker.log") as worker:
        yield worker


@pytest.mark.parametrize(
    ("tolerance", "changes"),
    [
        (1e-3, {}),
        (1e-3, {"attention_backend": "fused"}),
        (1e-3, {"loss_chunks": 3}),
        (1e-3, {"recompute": True}),
        (1e-3, {"compile": "regional"}),
        (1e-3, {"compile": "full"}),
        (1e-3, {"cuda_graphs": "on"}),
        (0.05, {"precision": "bfloat16", "attention_backend": "fused"}),
        (0.05, {"precision": "bfloat16_master", "attention_backend": "fused"}),
        (0.05, {"precision": "bfloat16_master", "cuda_graphs": "on"}),
    ],
    ids=lambda value: " ".join(map(str, value.values())) or "plain" if isinstance(value, dict) else "",
)
def test_whatever_computes_learns_the_same(
    tokens: Tokens, tmp_path: Path, on_cpu: list[float], tolerance: float, changes: dict[str, Any]
) -> None:
    assert losses(trained(tokens, tmp_path, **changes)) == pytest.approx(on_cpu, abs=tolerance)


def test_recorded_steps_add_up_gradients(tokens: Tokens, tmp_path: Path) -> None:
    plain = losses(trained(tokens, tmp_path / "plain", gradient_accumulation=2))
    recorded = losses(trained(tokens, tmp_path / "recorded", gradient_accumulation=2, cuda_graphs="on"))
    assert recorded == pytest.approx(plain, abs=1e-4)


def test_a_replay_is_the_step_that_was_recorded() -> None:
    torch.manual_seed(0)
    table = nn.Embedding(16, 8, device=DEVICE)

    def run(windows: Tensor) -> Tensor:
        table.weight.grad = torch.zeros_like(table.weight) if table.weight.grad is None else table.weight.grad
        table.weight.grad.zero_()
        loss = table(windows).square().sum()
        loss.backward()
        return loss.detach()

    first, second = (torch.randint(16, (2, 5), device=DEVICE) for _ in range(2))
    step = GraphedStep(run, first)
    told = [step(windows) for windows in (first, second)]
    gradient = table.weight.grad
    assert gradient is not None
    expected = [table(windows).square().sum() for windows in (first, second)]
    torch.testing.assert_close(torch.stack(told), torch.stack(expected))
    counts = torch.bincount(second.flatten(), minlength=16)
    torch.testing.assert_close(gradient, 2 * table.weight.detach() * counts[:, None])
    with pytest.raises(ValueError, match="takes windows of 2 x 5, got 1 x 5"):
        step(first[:1])


def test_replays_drop_out_anew_and_recording_draws_nothing() -> None:
    ones, windows = torch.ones(64, 64, device=DEVICE), torch.zeros(2, 5, dtype=torch.int64, device=DEVICE)
    torch.manual_seed(0)
    before = torch.cuda.get_rng_state()
    step = GraphedStep(lambda windows: F.dropout(ones, 0.5).sum() + windows.sum(), windows)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    assert len({step(windows).item() for _ in range(8)}) > 1


def test_a_step_that_cannot_be_recorded_says_so(tokens: Tokens, tmp_path: Path, worker: Worker) -> None:
    experts = {"kind": "mixture_of_experts", "n_experts": 4, "n_experts_per_token": 2}
    config = tiny(feed_forward={**experts, "expert": {"kind": "plain"}})
    job = job_for(tokens, tmp_path, config, device=DEVICE, **{**PLAIN, "cuda_graphs": "on"})
    record = worker.run(job, Silent())  # in a process of its own, which a failed recording leaves unusable
    assert record.status is Status.FAILED
    assert "set cuda_graphs: off" in record.reason


def test_float32_is_no_tf32() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(512, 512, device=DEVICE)
    product, exact = matrix @ matrix, matrix.double() @ matrix.double()
    assert (product - exact).abs().max() < 1e-3  # ten bits of mantissa would be off by about 0.05


def test_deterministic_trainings_have_the_same_bits(tokens: Tokens, tmp_path: Path, worker: Worker) -> None:
    settings = {**PLAIN, "precision": "bfloat16", "attention_backend": "fused", "deterministic": True}
    records = [
        worker.run(job_for(tokens, tmp_path / str(number), CONFIG, device=DEVICE, **settings), Silent())
        for number in range(2)
    ]
    assert [record.status for record in records] == [Status.COMPLETE] * 2
    assert losses(records[0]) == losses(records[1])


def test_two_trainings_share_a_device(tokens: Tokens, tmp_path: Path) -> None:
    def train_in_worker(number: int) -> TrialRecord:
        with Worker(tmp_path / f"{number}.log") as worker:
            job = job_for(
                tokens,
                tmp_path / str(number),
                CONFIG,
                seed=number,
                device=DEVICE,
                deterministic=True,
                **PLAIN,
            )
            return worker.run(job, Silent())

    alone = [train_in_worker(number) for number in range(2)]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(train_in_worker, range(2)))
    assert [losses(record) for record in together] == [losses(record) for record in alone]
    # The peak of one is not that of both.
    for one, other in zip(together, alone, strict=True):
        assert one.memory_bytes == pytest.approx(other.memory_bytes, rel=0.01)


@pytest.mark.parametrize("order", [[(0, 4), (4, 4), (8, 4)], [(0, 2), (2, 4), (100, 4), (104, 4)]])
def test_batches_that_are_prepared_ahead_are_the_same(tokens: Tokens, order: list[tuple[int, int]]) -> None:
    batches = TrainBatches(tokens.train, 16, 3)
    loader = BatchLoader(batches, torch.device(DEVICE))
    try:
        loaded = [loader.load(first, count).clone() for first, count in order]
    finally:
        loader.close()
    for windows, (first, count) in zip(loaded, order, strict=True):
        assert windows.device.type == DEVICE
        np.testing.assert_array_equal(windows.cpu().numpy(), batches.windows(first, count))


def test_want_of_memory_is_a_row_and_the_next_training_runs(
    tokens: Tokens, tmp_path: Path, worker: Worker
) -> None:
    # Logits and their gradient: 2 x 2^18 x 16 x 8192 numbers of 4 bytes, 256 GiB.
    wide = tiny(vocab_size=8192)
    job = job_for(tokens, tmp_path / "large", wide, device=DEVICE, **{**PLAIN, "batch_size": 2**18})
    record = worker.run(job, Silent())
    assert record.status is Status.OUT_OF_MEMORY
    assert "memory" in record.reason
    small = worker.run(job_for(tokens, tmp_path / "small", wide, device=DEVICE, **PLAIN), Silent())
    assert small.status is Status.COMPLETE


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "bfloat16_master"])
def test_allocated_memory_is_near_the_predicted(tokens: Tokens, tmp_path: Path, precision: str) -> None:
    config = tiny(context_length=256, emb_dim=512, n_heads=8, n_layers=8, drop_rate=0.0)
    settings = {**PLAIN, "precision": precision, "attention_backend": "fused", "batch_size": 64}
    record = run_trial(job_for(tokens, tmp_path, config, device=DEVICE, **settings), Silent())
    step = TrainingStep(batch_size=64, precision=precision, device="cuda")  # type: ignore[arg-type]
    assert record.memory_bytes == pytest.approx(training_memory(config, step).peak_bytes, rel=0.1)
    assert record.tracked_memory_bytes == record.memory_bytes
    assert record.process_memory_bytes is not None
