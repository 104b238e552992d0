"""Small models of `transformers`, with random weights, as peers of ours."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers
from torch import Tensor
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

VOCAB, CONTEXT = 61, 48
SIZES = {
    "vocab_size": VOCAB,
    "max_position_embeddings": CONTEXT,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
}
"""As most families call them. Heads of 4 numbers."""
WRITTEN_OUT = {"attn_implementation": "eager", "experts_implementation": "eager"}
"""Not by kernels, of which some know no float64."""

transformers.utils.logging.disable_progress_bar()


@dataclass(frozen=True)
class HubCase:
    """A variant of a family, by the arguments of its config class in `transformers`.

    Args:
        family: `model_type`.
        config: Name of the class.
        given: Its arguments, small and mostly prime.
        breaks: Fields of config.json with a value that must be refused, one by one.
        beyond: A path of our config and a value that the family cannot express, one by one.
        attention: Which of the implementations in `transformers` is the peer.
    """

    family: str
    config: str
    given: dict[str, Any]
    label: str = ""
    breaks: dict[str, Any] = field(default_factory=dict)
    beyond: dict[str, Any] = field(default_factory=dict)
    attention: str = "eager"

    @property
    def id(self) -> str:
        return f"{self.family}-{self.label}" if self.label else self.family

    def hub_config(self) -> PretrainedConfig:
        return getattr(transformers, self.config)(**self.given)


def build_hub_model(case: HubCase, dtype: torch.dtype = torch.float64) -> PreTrainedModel:
    """With weights, biases and norms all drawn, so that each shows in the logits.

    Not larger than that: `transformers` computes norms and angles in float32 even in a model of float64, and
    large weights would make differences of logits from that rounding.
    """
    torch.manual_seed(0)
    options = {**WRITTEN_OUT, "attn_implementation": case.attention}
    model = AutoModelForCausalLM.from_config(case.hub_config(), **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model.to(dtype).eval()


def saved(model: PreTrainedModel, folder: Path, **options: Any) -> Path:
    model.save_pretrained(folder, **options)
    return folder


def loaded(folder: Path, dtype: torch.dtype = torch.float64, attention: str = "eager") -> PreTrainedModel:
    options = {**WRITTEN_OUT, "attn_implementation": attention}
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **options).eval()


def some_ids(batch: int = 2, time: int = CONTEXT) -> Tensor:
    return torch.randint(0, VOCAB, (batch, time), generator=torch.Generator().manual_seed(1))
