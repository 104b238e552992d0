"""How the tests look into a built model."""

import torch
from torch import Tensor, nn

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.layers.attention.attend import attend_written_out


def randomized(model: GPTModel, spread: float = 0.3) -> GPTModel:
    """The model in float64 with all parameters random: biases start as zeros, which hide mistakes."""
    model = model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=spread)
    return model


def random_ids(config: GPTConfig, batch: int = 1, time: int | None = None) -> Tensor:
    return torch.randint(0, config.vocab_size, (batch, time or config.context_length))


def unique_numel(module: nn.Module) -> int:
    """Numbers in the parameters of `module`, a shared one counted once."""
    return sum({id(p): p.numel() for p in module.parameters()}.values())


def on_meta(config: GPTConfig) -> GPTModel:
    with torch.device("meta"):
        return GPTModel(config)


def write_out_attention(model: GPTModel) -> GPTModel:
    """torch's FLOP counter gives 0 for fused attention on a CPU: have it step by step."""
    for block in model.blocks:
        block.attention.attend = attend_written_out
    return model
