"""What a model needs on each of several devices, held against papers and torch's own FSDP."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from config_strategies import gpt_configs
from hypothesis import given
from hypothesis import strategies as st

from gpt_zoo import GPTConfig
from gpt_zoo.cost.memory import TrainingStep, inference_memory, training_memory
from gpt_zoo.cost.model import model_params
from gpt_zoo.cost.parallel import SHARDINGS, ModelState, Sharding, device_inference, device_training

GPT2 = GPTConfig(
    vocab_size=50257,
    context_length=1024,
    emb_dim=768,
    n_heads=12,
    n_layers=12,
    qkv_bias=True,
    tie_embeddings=True,
)


@pytest.mark.parametrize(
    ("devices", "gigabytes"),
    [
        (1, (120, 120, 120, 120)),
        (4, (120, 52.5, 41.3, 30)),
        (16, (120, 35.6, 21.6, 7.5)),
        (64, (120, 31.4, 16.6, 1.88)),
        (256, (120, 30.4, 15.4, 0.47)),
        (1024, (120, 30.1, 15.1, 0.12)),
    ],
)
def test_the_example_of_the_zero_paper(devices: int, gigabytes: tuple[float, ...]) -> None:
    # Table 1 and figure 1 of arXiv:1910.02054: 7.5B parameters, mixed precision, Adam with K = 12.
    params = 7_500_000_000
    whole = ModelState(2 * params, 2 * params, 12 * params)
    for sharding, expected in zip(SHARDINGS, gigabytes, strict=True):
        kept = whole.on_a_device(devices, sharding)
        total = kept.weights_bytes + kept.gradients_bytes + kept.optimizer_bytes
        assert total / 1e9 == pytest.approx(expected, abs=0.051 if expected > 2 else 0.0051)


def test_mixed_precision_with_a_master_copy_is_the_papers_16_bytes_a_parameter() -> None:
    step = TrainingStep(64, 8, "bfloat16_master")
    params = model_params(GPT2)[0]
    assert params == 124_439_808
    whole = device_training(GPT2, step, 64, "replicated")
    assert (whole.weights_bytes, whole.gradients_bytes) == (2 * params, 2 * params)
    assert whole.optimizer_bytes == 12 * params
    sharded = device_training(GPT2, step, 64, "zero_3")
    state = sharded.weights_bytes + sharded.gradients_bytes + sharded.optimizer_bytes
    assert state == 16 * params / 64


def test_what_is_gathered_is_a_layer_and_what_lies_outside_of_layers() -> None:
    layer = 4 * 768 * 768 + 4 * 768 + 8 * 768 * 768 + 5 * 768 + 4 * 768
    outside = 50257 * 768 + 1024 * 768 + 2 * 768
    assert 12 * layer + outside == 124_439_808
    sharded = device_training(GPT2, TrainingStep(2, 8), 2, "zero_3")
    assert sharded.gathered_bytes == 4 * (layer + outside)
    assert device_training(GPT2, TrainingStep(2, 8), 2, "zero_2").gathered_bytes == 0
    assert device_inference(GPT2, 2, "zero_3", 2, 8).gathered_bytes == 2 * (layer + outside)


def test_what_is_sent_is_a_ring_s_share() -> None:
    # Section 7 of arXiv:1910.02054: 2 numbers a parameter, with weights divided 3; each (N-1)/N on N devices.
    whole = ModelState(800, 800, 2400)
    sent = [whole.sent_bytes(4, sharding) for sharding in SHARDINGS]
    assert sent == [2 * 600, 2 * 600, 2 * 600, 3 * 600]
    # Gradients that are divided are summed up after each pass, and weights gathered for each.
    passes = [whole.sent_bytes(4, sharding, passes=5) for sharding in SHARDINGS]
    assert passes == [2 * 600, 2 * 600, 6 * 600, 15 * 600]
    assert [whole.sent_bytes(1, sharding) for sharding in SHARDINGS] == [0, 0, 0, 0]


@given(gpt_configs(), st.sampled_from(SHARDINGS), st.integers(1, 2))
def test_one_device_needs_what_training_needs(config: GPTConfig, sharding: Sharding, passes: int) -> None:
    step = TrainingStep(2, gradient_accumulation=passes)
    memory, alone = training_memory(config, step), device_training(config, step, 1, sharding)
    assert (alone.peak_bytes, alone.saved_bytes) == (memory.peak_bytes, memory.saved_bytes)
    assert (alone.gathered_bytes, alone.sent_bytes) == (0, 0)
    assert device_inference(config, 1, sharding, 2).peak_bytes == inference_memory(config, 2).peak_bytes


@given(gpt_configs(), st.integers(2, 9), st.integers(1, 9))
def test_the_more_is_divided_the_less_is_kept(config: GPTConfig, devices: int, batch: int) -> None:
    step = TrainingStep(batch)
    rows = [device_training(config, step, devices, sharding) for sharding in SHARDINGS]
    share = -(-batch // devices)
    assert {row.batch_size for row in rows} == {share}
    assert rows[0].peak_bytes == training_memory(config, replace(step, batch_size=share)).peak_bytes
    replicated, optimizer, gradients, weights = rows
    assert replicated.peak_bytes >= optimizer.peak_bytes >= gradients.peak_bytes
    assert weights.peak_bytes - weights.gathered_bytes <= gradients.peak_bytes
    for row in rows:
        parts = row.weights_bytes + row.optimizer_bytes + row.gradients_bytes + row.gathered_bytes
        assert row.weights_bytes + row.optimizer_bytes < row.peak_bytes
        assert row.peak_bytes <= parts + row.saved_bytes + row.transient_bytes


SHARDED = """
import json, sys, torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from gpt_zoo import GPTConfig, GPTModel

rank, ranks, meeting, config = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
model = GPTModel(GPTConfig(**config))
for block in model.blocks:
    fully_shard(block)
fully_shard(model)
optimizer = torch.optim.AdamW(model.parameters())
model(torch.arange(16)[None]).sum().backward()
optimizer.step()
state = [value for kept in optimizer.state.values() for name, value in kept.items() if name != "step"]
groups = (list(model.parameters()), [weight.grad for weight in model.parameters()], state)
print(json.dumps([sum(tensor.to_local().nbytes for tensor in group) for group in groups]))
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_each_process_of_torch_s_fsdp_keeps_what_is_said(tmp_path: Path) -> None:
    config = {"vocab_size": 64, "context_length": 16, "emb_dim": 32, "n_heads": 4, "n_layers": 3}
    words = [str(tmp_path / "meeting"), json.dumps(config)]
    ranks = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SHARDED, str(rank), "2", *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]
    row = device_training(GPTConfig.model_validate(config), TrainingStep(2), 2, "zero_3")
    for process in ranks:
        kept = json.loads(process.communicate(timeout=120)[0])
        assert kept == [row.weights_bytes, row.gradients_bytes, row.optimizer_bytes]


def test_errors_name_the_nearest_fix() -> None:
    with pytest.raises(ValueError, match="at least 1 device, got 0; try 1"):
        device_training(GPT2, TrainingStep(), 0, "replicated")
    with pytest.raises(ValueError, match="no sharding is called `zero3`; did you mean `zero_3`"):
        device_inference(GPT2, 2, "zero3")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be at least 1, got 0"):
        device_training(GPT2, TrainingStep(batch_size=0), 2, "zero_2")
