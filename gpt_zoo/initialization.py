"""The values that a model's weights start from."""

import math

from torch import nn


def initialize_gpt2(model: nn.Module, n_layers: int) -> None:
    """Draw the weights of `model` in place, as GPT-2 does.

    Linear maps and tables from a normal distribution of standard deviation 0.02; the maps that write into the
    residual stream, each called `output`, have theirs divided by √(2·n_layers), since as many of them add up;
    biases are zero. Norms keep their ones and zeros.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            residual = name.rpartition(".")[2] == "output"
            nn.init.normal_(module.weight, std=0.02 / math.sqrt(2 * n_layers) if residual else 0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
