"""Rules for the values that weights start from, by name. To add one, write the function and decorate it.

Each is a function of the config: it draws the linear maps and tables of a built model in place. Norms, sinks
and mixes start from the values that their modules give them. Names are known without torch, as activations'
are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from gpt_zoo.config.gpt import GPTConfig

Initialization = Callable[["nn.Module", "GPTConfig"], None]
INITIALIZATIONS: dict[str, Initialization] = {}

RESIDUAL = "output"
"""The name of each map that writes into the residual stream."""


def initialization(name: str) -> Callable[[Initialization], Initialization]:
    """Make the decorated function known as `name`.

    Raises:
        ValueError: (where it is decorated) another function has that name.
    """

    def register(function: Initialization) -> Initialization:
        if INITIALIZATIONS.setdefault(name, function) is not function:
            raise ValueError(f"there is an initialization `{name}` already; choose another name")
        return function

    return register


def _maps(model: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Embedding]]:
    """The linear maps and tables of a model by name, biases set to zero; a tied one comes once."""
    from torch import nn

    seen = set()
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Linear | nn.Embedding) and id(module.weight) not in seen:
            seen.add(id(module.weight))
            yield name, module


def _draw(module: nn.Linear | nn.Embedding, std: float) -> None:
    from torch import nn

    nn.init.normal_(module.weight, std=std)


@initialization("gpt2")
def gpt2(model: nn.Module, config: GPTConfig) -> None:
    """N(0, 0.02²); what writes into the residual stream divided by √(2·n_layers), since so many of them add
    up.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3.
    """
    for name, module in _maps(model):
        residual = name.rpartition(".")[2] == RESIDUAL
        _draw(module, 0.02 / math.sqrt(2 * config.n_layers) if residual else 0.02)


@initialization("small_init")
def small_init(model: nn.Module, config: GPTConfig) -> None:
    """N(0, 2 / (5·D)); what writes into the residual stream has a standard deviation of 2 / (n_layers·√D).

    Source: Nguyen and Salazar 2019, "Transformers without Tears", section 2.2, arXiv:1910.05895; residual
    maps from Wang and Komatsuzaki 2021, both as used by Black et al. 2022, "GPT-NeoX-20B", arXiv:2204.06745.
    """
    for name, module in _maps(model):
        if name.rpartition(".")[2] == RESIDUAL:
            _draw(module, 2 / (config.n_layers * math.sqrt(config.emb_dim)))
        else:
            _draw(module, math.sqrt(2 / (5 * config.emb_dim)))


@initialization("mitchell")
def mitchell(model: nn.Module, config: GPTConfig) -> None:
    """1 / inputs as variance, cut off at three standard deviations; what layer l, from 0, writes into the
    residual stream has 1 / (2·inputs·(l + 1)). Tables have 1 / D.

    Source: Groeneveld et al. 2024, "OLMo", appendix, arXiv:2402.00838, after a suggestion of Eric Mitchell.
    """
    from torch import nn

    for name, module in _maps(model):
        inputs = module.in_features if isinstance(module, nn.Linear) else module.embedding_dim
        std = inputs**-0.5
        if name.rpartition(".")[2] == RESIDUAL:
            layer = next(int(part) for part in name.split(".") if part.isdigit())
            std = (2 * inputs * (layer + 1)) ** -0.5
        nn.init.trunc_normal_(module.weight, std=std, a=-3 * std, b=3 * std)


@initialization("torch")
def torch_default(model: nn.Module, config: GPTConfig) -> None:
    """What torch gives its own modules: linear maps U(-1/√inputs, 1/√inputs), weights and biases; tables N(0,
    1).

    Source: He et al. 2015, "Delving Deep into Rectifiers", arXiv:1502.01852, with a = √5.
    """
    for _, module in _maps(model):
        module.reset_parameters()
