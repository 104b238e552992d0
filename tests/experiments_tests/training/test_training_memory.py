"""A step of the training loop takes the memory that is predicted for it."""

from typing import Any

import pytest
from tiny_trainings import begin, tiny

from experiments.data.tokens import Tokens
from gpt_zoo.cost.memory import TrainingStep, training_memory
from gpt_zoo.measure.memory import peak_of


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_step_reaches_the_predicted_peak(tokens: Tokens, precision: Any, parts: int) -> None:
    # The logits are most of it: no name may hold them while the loss is learned from.
    config = tiny(vocab_size=2000, context_length=32, emb_dim=32)
    with peak_of("cpu") as peak:
        training = begin(tokens, config, batch_size=32, precision=precision, gradient_accumulation=parts)
        training.engine.step(training._batches(), 1.0)
        with peak.from_here():
            training.engine.step(training._batches(), 1.0)
    step = TrainingStep(32, precision=precision, gradient_accumulation=parts)
    assert training_memory(config, step).peak_bytes == pytest.approx(peak.bytes, rel=0.01)
