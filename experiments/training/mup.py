"""muP, the maximal update parametrization: the learning rate that is best for one width is so for all."""

from dataclasses import dataclass
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from experiments.training.multipliers import INITIAL_POWERS, check_mup
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.base import EmbeddedPositionConfig
from gpt_zoo.model import GPTModel


@dataclass(frozen=True)
class Factors:
    """What muP makes of a parameter.

    Args:
        initial: Of the values that it starts from.
        rate: Of its learning rate.
    """

    initial: float
    rate: float


def mup_factors(config: GPTConfig, base_width: int) -> dict[str, Factors]:
    """What muP makes of the initial values and learning rates of each parameter, by name, for Adam and Lion.

    With r the ratio of `emb_dim` to the base width: maps whose inputs and outputs grow with the width start
    from values 1/√r as large and are stepped by 1/r; maps to a fixed size (the head, a router) start from 1/r
    and are stepped by 1/r; all else stays. Table 8 has a factor 1/r in the head's forward pass instead, and
    steps it by 1: the same to Adam, which does not see how large gradients are (lemma J.1, θ ← θ·A, initial
    values B/A, learning rate C/A). A tied head has that factor: a table cannot be stepped by both.

    Raises:
        ValueError: as for `check_mup`; or the config cannot be widened, so that nobody can tell what grows.
    """
    check_mup(config)
    ratio = config.emb_dim / base_width
    linear, table, bias = INITIAL_POWERS[config.initialization]
    everywhere = config.initialization == "small_init"
    factors = {}
    for name, (kind, outputs_grow, inputs_grow) in _growth(config).items():
        wanted = (-0.5 if outputs_grow else -1.0) if kind == "map" and inputs_grow else 0.0
        own = table if kind == "table" else bias if kind == "bias" else linear if kind == "map" else 0.0
        own = own if inputs_grow or everywhere else 0.0
        rate = 1 / ratio if kind in ("map", "other") and inputs_grow else 1.0
        factors[name] = Factors(ratio ** (wanted - own), rate)
    return factors


Growth = tuple[str, bool, bool]
"""Of a parameter: map, bias of a map, table or other; whether its outputs, and its inputs, grow."""


def _growth(config: GPTConfig) -> dict[str, Growth]:
    """What of each parameter grows with the width, found by comparing with the same model twice as wide."""
    skeleton = _skeleton(config)
    kinds = {}
    for prefix, module in skeleton.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            kinds[f"{prefix}.weight"] = "table" if isinstance(module, nn.Embedding) else "map"
        if isinstance(module, nn.Linear):
            kinds[f"{prefix}.bias"] = "bias"
    shapes, wider = (
        {name: one.shape for name, one in model.named_parameters()}
        for model in (skeleton, _skeleton(config, 2))
    )
    found = {}
    for name in shapes:
        kind = kinds.get(name, "other")
        weight = name.removesuffix("bias") + "weight" if kind == "bias" else name
        shape, wide = shapes[weight], wider[weight]
        found[name] = (kind, wide[0] > shape[0], len(shape) > 1 and wide[-1] > shape[-1])
    return found


def _skeleton(config: GPTConfig, times: int = 1) -> nn.Module:
    """A model without memory, its parameters named as those of `GPTModel`, `times` as wide."""
    try:
        layers = [widened(config.layer(index), times) for index in range(config.n_layers)]
        whole = widened(config.model_copy(update={"layers": (), "single_layers": ()}), times)
    except ValidationError as error:
        raise ValueError(
            "`parametrization: mup` compares a model with one twice as wide, which this one cannot be: "
            f"{error.errors()[0]['msg']}; leave sizes that follow from emb_dim undeclared, or try "
            "parametrization standard"
        ) from None
    model = nn.Module()
    with torch.device("meta"):
        model.token_table = whole.embedding.build(whole)
        if isinstance(whole.position, EmbeddedPositionConfig):
            model.position = whole.position.build(whole)
        model.blocks = nn.ModuleList(layer.block.build(layer) for layer in layers)
        if whole.final_norm:
            model.final_norm = whole.norm.build(whole.emb_dim)
        model.head = whole.head.build(whole)
    return model


def widened(layer: GPTConfig, times: int) -> GPTConfig:
    """A config whose layers are alike, `times` as wide: with larger heads, or more of them where their size
    is declared; other sizes that are declared stay.

    Raises:
        pydantic.ValidationError: a size that stays does not fit the others any more.
    """
    changes: dict[str, Any] = {"emb_dim": layer.emb_dim * times}
    attention = layer.attention.model_dump()
    if attention.get("head_dim") is not None:
        changes["n_heads"] = layer.n_heads * times
        if attention.get("n_kv_heads") is not None:
            attention["n_kv_heads"] *= times
    return GPTConfig.model_validate({**layer.model_dump(), **changes, "attention": attention})


@torch.no_grad()
def scale_initial(model: GPTModel, factors: dict[str, Factors]) -> None:
    """Bring weights that were drawn by the model's own rule to where muP has them start."""
    for name, parameter in model.named_parameters():
        if factors[name].initial != 1:
            parameter.mul_(factors[name].initial)
