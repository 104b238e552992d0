"""The peak of a step and of inference, against the most that torch's allocator had handed out."""

from typing import Any

import pytest
import torch

from gpt_zoo import GPTConfig
from gpt_zoo.cost.memory import TrainingStep, inference_memory, training_memory
from gpt_zoo.cost.optimizers import (
    OPTIMIZERS,
    PART_BYTES,
    Shape,
    master_gradients,
    optimizer_memory,
    summed_gradients,
)
from gpt_zoo.measure.memory import TrainingRun, measure_inference_memory, measure_training_memory
from gpt_zoo.steps import weights

SMALL = {"vocab_size": 300, "context_length": 64, "emb_dim": 64, "n_heads": 4, "n_layers": 3}
WORDS = {"vocab_size": 4000}
TIED = {"tie_embeddings": True}
LONG = {"context_length": 256}
MASTER = {"precision": "bfloat16_master"}
PARTED = {"emb_dim": 512, "vocab_size": 9000, "n_layers": 6}
LLAMA: dict[str, Any] = {
    "norm": {"kind": "rms_norm"},
    "position": {"kind": "rotary"},
    "feed_forward": {"kind": "gated"},
    "activation": "silu",
    "attention": {"kind": "grouped_query", "n_kv_heads": 2, "window": 32},
    "tie_embeddings": True,
}
LATENT = {
    "attention": {
        "kind": "latent",
        "kv_rank": 24,
        "head_dim": 16,
        "value_head_dim": 16,
        "rope_head_dim": 8,
        "query_rank": 32,
    },
    "position": {"kind": "rotary"},
}
LINEAR = {"attention": {"kind": "gated_linear"}, "position": {"kind": "none"}}
ALTERNATING = {
    "layers": [{"attention": {"window": 16}}, {"feed_forward": {"hidden_dim": 512}}],
    "n_layers": 4,
}


@pytest.mark.parametrize(
    ("fields", "step"),
    [
        ({}, {"batch_size": 16}),
        ({}, {"batch_size": 1}),  # the optimizer's step
        (WORDS, {"batch_size": 16}),  # the logits
        (WORDS, {"batch_size": 1, "optimizer": "sgd"}),  # the embeddings
        (WORDS, {"batch_size": 16, "gradient_accumulation": 2}),
        (WORDS | TIED, {"batch_size": 1, "optimizer": "sgd"}),
        (WORDS | TIED, {"batch_size": 1, "optimizer": "sgd", "precision": "bfloat16"}),
        (WORDS | TIED, {"batch_size": 1, "optimizer": "sgd", "gradient_accumulation": 2}),
        (LLAMA, {"batch_size": 16}),
        (LLAMA | WORDS, {"batch_size": 16, "precision": "bfloat16"}),
        (LATENT, {"batch_size": 16}),
        (LINEAR, {"batch_size": 16}),
        (ALTERNATING, {"batch_size": 16}),
        ({"block": {"kind": "parallel"}, "drop_rate": 0.1}, {"batch_size": 16}),
        ({"n_layers": 8}, {"batch_size": 16, "recompute": True}),
        ({}, {"batch_size": 16, "precision": "bfloat16_pure"}),
        ({}, {"batch_size": 16, "fused_attention": False}),
        ({"emb_dim": 128}, {"batch_size": 1, "optimizer": "muon"}),
        ({"emb_dim": 128}, {"batch_size": 1, "optimizer": "sgd_momentum"}),
        ({"emb_dim": 128}, {"batch_size": 1, "optimizer": "adafactor"}),
        (WORDS, {"batch_size": 16, "loss_chunks": 4}),
        (WORDS | TIED, {"batch_size": 16, "loss_chunks": 16, "precision": "bfloat16"}),
        (WORDS | TIED, {"batch_size": 16, "loss_chunks": 4, "gradient_accumulation": 2}),
        (LLAMA | WORDS, {"batch_size": 16, "loss_chunks": 8, "recompute": True}),
        (WORDS | {"final_norm": False}, {"batch_size": 16, "loss_chunks": 4}),
        ({}, {"batch_size": 16, "fused_attention": False, "precision": "bfloat16"}),
        (LONG | LLAMA, {"batch_size": 4, "fused_attention": False, **MASTER}),
        (LONG | {"n_layers": 8}, {"batch_size": 4, "fused_attention": False, "recompute": True}),
        (LATENT, {"batch_size": 16, "fused_attention": False}),
        ({"position": {"kind": "alibi"}}, {"batch_size": 16, "fused_attention": False}),
        (WORDS, {"batch_size": 16, **MASTER}),
        (WORDS, {"batch_size": 16, "loss_chunks": 4, **MASTER}),
        ({"emb_dim": 128}, {"batch_size": 1, **MASTER}),  # the optimizer's step, in one part
        (PARTED, {"batch_size": 1, **MASTER}),  # in several parts
        ({"emb_dim": 128}, {"batch_size": 1, "optimizer": "muon", **MASTER}),
        ({"emb_dim": 128}, {"batch_size": 1, "gradient_accumulation": 2, **MASTER}),  # gradients summed up
    ],
)
def test_a_step_reaches_the_peak_that_is_predicted(fields: dict[str, Any], step: dict[str, Any]) -> None:
    config = GPTConfig.model_validate(SMALL | fields)
    made = TrainingStep(**step)
    measured = measure_training_memory(config, made)
    assert training_memory(config, made).peak_bytes == pytest.approx(measured, rel=0.01)


@pytest.mark.parametrize("fields", [{}, WORDS, LLAMA, LATENT, LINEAR, {"position": {"kind": "alibi"}}])
def test_reading_a_prompt_reaches_the_peak_that_is_predicted(fields: dict[str, Any]) -> None:
    config = GPTConfig.model_validate(SMALL | fields)
    predicted = inference_memory(config, batch_size=8, bytes_per_value=4)
    measured = measure_inference_memory(config, batch_size=8, dtype=torch.float32)
    assert predicted.peak_bytes == pytest.approx(measured, rel=0.02)


def test_a_peak_is_the_sum_of_what_is_named() -> None:
    memory = training_memory(GPTConfig.model_validate(SMALL), TrainingStep(16))
    parts = memory.peak_gradients_bytes + memory.peak_saved_bytes + memory.transient_bytes
    assert memory.peak_bytes == memory.weights_bytes + memory.optimizer_bytes + parts


@pytest.mark.parametrize("name", ["adamw", "sgd", "sgd_momentum", "muon", "adafactor"])
def test_optimizers_keep_the_state_that_is_predicted(name: str) -> None:
    config = GPTConfig.model_validate(SMALL)
    step = TrainingStep(optimizer=name)
    run = TrainingRun(config, step)
    run.run()
    kept = sum(
        value.nbytes
        for optimizer in run.optimizers
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor) and value.numel() > 1  # without the counts of steps
    )
    assert training_memory(config, step).optimizer_bytes == kept


def test_states_by_hand() -> None:
    hidden, others = [Shape(3, 5, 2)], [Shape(7, 5), Shape(11, 1)]
    kept = {name: optimizer_memory(name, hidden, others, size=4)[0] for name in OPTIMIZERS}
    numbers = 2 * 15 + 35 + 11
    assert kept == {
        "adamw": 4 * 2 * numbers,
        "sgd": 0,
        "sgd_momentum": 4 * numbers,
        "lion": 4 * numbers,
        "muon": 4 * (30 + 2 * (35 + 11)),
        "adafactor": 4 * (2 * 8 + 12 + 11),
    }
    # bfloat16 weights: two numbers of state and a copy of the weight, each in float32.
    assert optimizer_memory("adamw", hidden, others, size=2, master=True)[0] == 4 * 3 * numbers


def test_gradients_in_float32_by_hand() -> None:
    mega = 2**20
    # All of 12 in one part: the last, of 4, exists twice for a moment.
    assert master_gradients([8 * mega, 4 * mega]) == ((4 * 12 - 2 * 8) * mega, 2 * 12 * mega)
    # 16 and 1 would be more than 64 MiB together: the first part has most, the others gain what it let go.
    assert master_gradients([16 * mega, mega, mega]) == (4 * 16 * mega, 2 * 16 * mega)
    # Sums of several batches: the first is turned while all others wait.
    assert summed_gradients([8 * mega, 4 * mega]) == 4 * 8 * mega


def test_parts_of_weights_are_as_large_as_in_training() -> None:
    # Each but the last alone is more than half of a part.
    sizes = (PART_BYTES // 4 // 2 + 1, PART_BYTES // 4 // 2 + 1, 3)
    model = torch.nn.ParameterList(torch.ones(size) for size in sizes)
    masters = weights.MasterWeights(model)
    optimizer = torch.optim.SGD([master for _, master in masters.named()], lr=0.5)
    stepped: list[list[int]] = []
    optimizer.register_step_pre_hook(
        lambda *_: stepped.append([m.numel() for _, m in masters.named() if m.grad is not None])
    )
    for weight in model:
        weight.grad = torch.ones_like(weight)
    masters.step([optimizer], clip=None)
    assert stepped == [[sizes[0]], [sizes[1], sizes[2]]]
    assert all(bool((weight == 0.5).all()) for weight in model)
