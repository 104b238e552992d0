"""What is saved for the backward pass: to the byte against autograd, by hand, and against published forms."""

from typing import Any

import pytest
from config_strategies import CONTEXT, TORCH_RANDOM, gpt_configs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gpt_zoo import GPTConfig
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.cost.memory import TrainingStep, training_memory
from gpt_zoo.measure.memory import measure_saved

assert TORCH_RANDOM  # registered with hypothesis


def has_pairs_of_single_numbers(config: GPTConfig) -> bool:
    """Rotary heads of 2 numbers: torch then lays what is joined out as an image, which its kernel refuses."""
    return any(
        isinstance(layer.position, RotaryPositionConfig)
        and layer.position.turned(layer.attention.position_dim(layer)) == 2
        for layer, _ in config.distinct_layers
    )


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(
    config=gpt_configs(),
    batch=st.integers(1, 3),
    time=st.integers(1, CONTEXT),
    precision=st.sampled_from(["float32", "bfloat16", "bfloat16_master", "bfloat16_pure"]),
    fused=st.booleans(),
)
def test_autograd_saves_what_the_closed_form_says(
    config: GPTConfig, batch: int, time: int, precision: Any, fused: bool
) -> None:
    assume(not has_pairs_of_single_numbers(config))
    step = TrainingStep(batch, min(time, config.context_length), precision, fused_attention=fused)
    assert training_memory(config, step).saved_bytes == measure_saved(config, step)


def test_a_layer_by_hand() -> None:
    config = GPTConfig(vocab_size=101, context_length=32, emb_dim=24, n_heads=4, n_layers=1)
    memory = training_memory(config, TrainingStep(batch_size=4))
    tokens = 4 * 32
    stream = 4 * tokens * 24  # bytes of all vectors of the model's width
    # What norm gives, queries, keys, values, their mix; the logarithm of the sum of each softmax.
    assert memory.attention_bytes == 5 * stream + 4 * tokens * 4
    # What norm gives; the hidden numbers before and after the activation.
    assert memory.feed_forward_bytes == stream + 2 * 4 * stream
    # Two norms and the last one keep what they read, a mean and a deviation a token.
    assert memory.norm_bytes == 3 * (stream + 2 * 4 * tokens)
    assert memory.residual_bytes == 0  # nothing is dropped, and a sum keeps nothing
    # Ids with the last target, 8 bytes each, and the positions.
    assert memory.embedding_bytes == 8 * 4 * 33 + 8 * 32
    # What the head reads, the logarithms of all shares, the targets and the sum of their weights.
    assert memory.head_bytes == stream + 4 * tokens * 101 + 8 * tokens + 4


def test_a_layer_under_autocast_by_hand() -> None:
    config = GPTConfig(vocab_size=101, context_length=32, emb_dim=24, n_heads=4, n_layers=1)
    memory = training_memory(config, TrainingStep(batch_size=4, precision="bfloat16"))
    stream = 2 * 4 * 32 * 24
    # Three copies of what norm gives in bfloat16, one for each projection; four weights in bfloat16.
    assert memory.attention_bytes == (3 + 4) * stream + 4 * 4 * 32 * 4 + 4 * 2 * 24 * 24
    assert memory.feed_forward_bytes == (1 + 4 + 4) * stream + 2 * 2 * 24 * 96


def per_layer(step: TrainingStep, **fields: Any) -> int:
    """Bytes that one more layer saves."""
    sizes = {"vocab_size": 101, "context_length": 64, "emb_dim": 48, "n_heads": 6, "drop_rate": 0.1}
    one, two = (GPTConfig.model_validate(sizes | fields | {"n_layers": n}) for n in (1, 2))
    return training_memory(two, step).saved_bytes - training_memory(one, step).saved_bytes


class TestKorthikanti:
    """Korthikanti et al. 2022, arXiv:2205.05198, section 4.1: 34·s·b·h + 5·a·s²·b bytes a layer in 16 bits,
    with dropout masks of 1 byte; 34·s·b·h with selective recomputation, 2·s·b·h with full recomputation."""

    b, s, h, a = 5, 64, 48, 6
    sbh, pairs, tokens = s * b * h, a * s * s * b, s * b

    def step(self, **fields: Any) -> TrainingStep:
        return TrainingStep(self.b, precision="bfloat16_pure", **fields)

    def test_on_a_gpu_it_is_theirs_with_the_statistics(self) -> None:
        # They leave out a mean and a deviation in float32 of each token for both norms.
        left_out = 2 * 2 * 4 * self.tokens
        found = per_layer(self.step(device="cuda", fused_attention=False))
        assert found == 34 * self.sbh + 5 * self.pairs + left_out

    def test_a_fused_kernel_keeps_what_selective_recomputation_does(self) -> None:
        # Beside their 34·s·b·h: the logarithm of the sum of each softmax in float32, and the statistics.
        left_out = 4 * self.a * self.tokens + 2 * 2 * 4 * self.tokens
        assert per_layer(self.step(device="cuda")) == 34 * self.sbh + left_out

    def test_full_recomputation_keeps_the_input_of_a_layer(self) -> None:
        assert per_layer(self.step(recompute=True)) == 2 * self.sbh

    def test_on_the_cpu_masks_are_numbers(self) -> None:
        # Dropout keeps a factor of 2 bytes: one more for each weight of attention and both residual branches.
        # The statistics are bfloat16.
        left_out = 2 * 2 * 2 * self.tokens + self.pairs + 2 * self.sbh
        assert per_layer(self.step(fused_attention=False)) == 34 * self.sbh + 5 * self.pairs + left_out


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"batch_size": 0}, "batch size of a step must be at least 1, got 0"),
        ({"context_length": 0}, "context length of a step must be at least 1, got 0"),
        ({"gradient_accumulation": 0}, "gradient accumulation of a step must be at least 1, got 0"),
        ({"context_length": 65}, "got 65 tokens for a context_length of 64; declare context_length 65"),
        ({"loss_chunks": 0}, "number of loss chunks of a step must be at least 1, got 0"),
        ({"precision": "bfloat"}, "no precision is called `bfloat`; did you mean `bfloat16`"),
        ({"optimizer": "adam"}, "no optimizer is called `adam`; did you mean `adamw`"),
        ({"device": "gpu"}, "no device is called `gpu`"),
    ],
)
def test_what_no_step_can_be_is_told(fields: dict[str, Any], told: str) -> None:
    config = GPTConfig(vocab_size=101, context_length=64, emb_dim=24, n_heads=4, n_layers=1)
    with pytest.raises(ValueError, match=told):
        training_memory(config, TrainingStep(**fields))
