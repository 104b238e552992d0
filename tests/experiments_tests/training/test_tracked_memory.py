import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny_trainings import CPU, job_for, tiny
from torch import nn

from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.training import device
from experiments.training.cuda_graph import GraphedStep, require_recordable
from experiments.training.memory import tracked_step
from experiments.trial import run_trial
from gpt_zoo.cost.memory import TrainingStep, training_memory

MIB = 2**20


def test_a_step_is_counted_on_top_of_what_is_standing() -> None:
    model = nn.Linear(512, 512, bias=False)  # 1 MiB of weights; as much of gradients, and two of moments
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.ones(1, 512)).sum().backward()
    optimizer.step()
    with tracked_step(CPU, model, [optimizer]) as tracked:
        for size in (1, 3, 2):  # each is gone before the next is there
            torch.ones(size * MIB // 4)
    assert tracked.bytes == pytest.approx((4 + 3) * MIB, abs=4096)


def test_a_record_tells_the_tracked_peak_near_the_predicted(tokens: Tokens, tmp_path: Path) -> None:
    config = tiny(context_length=64, emb_dim=64, n_layers=2)
    job = job_for(
        tokens,
        tmp_path,
        config,
        precision="float32",
        attention_backend="fused",
        loss_chunks=1,
        compile="off",
        cuda_graphs="off",
    )
    record = run_trial(job, Silent())
    predicted = training_memory(config, TrainingStep(batch_size=4)).peak_bytes
    assert record.tracked_memory_bytes == pytest.approx(predicted, rel=0.1)


def test_a_graph_needs_a_device_that_replays_it() -> None:
    with pytest.raises(ValueError, match="recorded on CUDA only, got cpu; set cuda_graphs: off"):
        GraphedStep(lambda windows: windows.sum(), torch.ones(1, 2, dtype=torch.int64))


def test_steps_whose_shapes_depend_on_their_tokens_cannot_be_recorded() -> None:
    require_recordable(tiny())
    experts = {"kind": "mixture_of_experts", "n_experts": 4, "n_experts_per_token": 2}
    mixed = {"feed_forward": {**experts, "expert": {"kind": "plain"}}}
    for config in (tiny(**mixed), tiny(n_layers=2, layers=[{}, mixed])):
        with pytest.raises(ValueError, match="mixture_of_experts sends other numbers of tokens"):
            require_recordable(config)


@pytest.fixture
def torch_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.delenv(device.WORKSPACE, raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    yield monkeypatch
    os.environ.pop(device.WORKSPACE, None)
    torch.use_deterministic_algorithms(False)


def test_determinism_asks_cublas_for_a_workspace_before_it_starts(torch_settings: pytest.MonkeyPatch) -> None:
    device.use_deterministic()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert torch.are_deterministic_algorithms_enabled()
    torch_settings.setenv("CUBLAS_WORKSPACE_CONFIG", ":0:0")
    with pytest.raises(ValueError, match=r"must be :4096:8 or :16:8 .* got :0:0; unset it"):
        device.use_deterministic()
