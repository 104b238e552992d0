"""A step of the engine takes the memory that is predicted for it, by whatever means it is computed."""

from typing import Any

import pytest
import torch

from experiments.training.config import TrainingConfig
from experiments.training.engine import Engine
from experiments.training.step import training_step
from gpt_zoo import GPTConfig
from gpt_zoo.cost.memory import training_memory
from gpt_zoo.measure.memory import peak_of

CONFIG = GPTConfig(vocab_size=9000, context_length=64, emb_dim=128, n_heads=4, n_layers=2)
SETTLED = {"attention_backend": "fused", "compile": "off", "cuda_graphs": "off", "loss_chunks": 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"precision": "float32"},
        {"precision": "float32", "optimizer": "lion"},
        {"precision": "float32", "optimizer": "muon"},
        {"precision": "bfloat16", "loss_chunks": 4, "batch_size": 8},
        {"precision": "bfloat16_master", "attention_backend": "written_out", "batch_size": 8},
        {"precision": "bfloat16_master", "optimizer": "lion"},
        {"precision": "bfloat16_master", "gradient_accumulation": 2},
        {"precision": "float32", "recompute": True, "loss_chunks": 16, "batch_size": 8},
    ],
)
def test_a_step_of_the_engine_reaches_the_predicted_peak(fields: dict[str, Any]) -> None:
    training = TrainingConfig.model_validate(SETTLED | {"batch_size": 1} | fields)
    with peak_of("cpu") as peak:
        engine = Engine(CONFIG, training, torch.device("cpu"))
        windows = torch.randint(CONFIG.vocab_size, (training.batch_size, CONFIG.context_length + 1))
        parts = [windows] * training.gradient_accumulation
        engine.step(parts, 1.0)
        with peak.from_here():
            engine.step(parts, 1.0)
    predicted = training_memory(CONFIG, training_step(training)).peak_bytes
    assert predicted == pytest.approx(peak.bytes, rel=0.01)
