"""What of muP is in the forward pass of a model, and so in its config; the rest is in `mup`."""

import math
from typing import Any

from experiments.training.config import TrainingConfig
from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.gpt import GPTConfig

INITIAL_POWERS: dict[str, tuple[float, float, float]] = {
    "gpt2": (0.0, 0.0, 0.0),
    "small_init": (-0.5, -0.5, 0.0),
    "mitchell": (-0.5, -0.5, 0.0),
    "torch": (-0.5, 0.0, -0.5),
}
"""With what power of the width the values fall that each initialization gives: linear maps whose inputs grow
with it, tables, and the biases of those maps. small_init goes by the width for all maps alike."""


def check_mup(config: GPTConfig) -> None:
    """Refuse what has no rules.

    Raises:
        ValueError: the initialization is not one whose values are known to change with the width.
    """
    if config.initialization not in INITIAL_POWERS:
        raise ValueError(
            "`parametrization: mup` must know how an initialization changes with the width, got "
            f"{config.initialization}; try initialization {', '.join(INITIAL_POWERS)}, or parametrization "
            "standard"
        )


def with_multipliers(config: GPTConfig, training: TrainingConfig) -> GPTConfig:
    """The config with the factors that muP has in the forward pass, so that whoever loads it computes alike.

    Scores fall as 1/d from the size of a head at the base width on; a tied head divides by the ratio of
    widths; embeddings are not multiplied with √emb_dim but with that of the base width. All else is in
    initial values and learning rates: see `mup_factors`. At the base width the config comes back as it is,
    and so it does under the standard parametrization.

    Source: Yang et al. 2022, "Tensor Programs V", table 8 and definition 4.1, arXiv:2203.03466.

    Raises:
        ValueError: as for `check_mup`.
    """
    if training.parametrization == "standard":
        return config
    check_mup(config)
    ratio = config.emb_dim / training.base_width
    changes: dict[str, Any] = {}
    if ratio != 1 and config.tie_embeddings and config.head.dim is None:
        multiplier = config.head.multiplier / ratio
        changes["head"] = config.head.model_copy(update={"multiplier": multiplier})
    if ratio != 1 and config.embedding.multiplier == "sqrt_dim":
        multiplier = math.sqrt(training.base_width)
        changes["embedding"] = config.embedding.model_copy(update={"multiplier": multiplier})
    layers = [config.layer(index) for index in range(config.n_layers)]
    scales = [_score_scale(layer, training) for layer in layers]
    if not any(scales):
        return config.model_copy(update=changes) if changes else config
    # One override a layer: any of them may have heads of its own.
    single = [
        {"at": index, "attention": {"scale": scale}}
        for index, scale in enumerate(scales)
        if scale is not None
    ]
    if config.layers or config.single_layers:
        changes["single_layers"] = [*config.single_layers, *single]
    else:
        changes["attention"] = config.attention.model_copy(update={"scale": scales[0]})
    return GPTConfig.model_validate({**config.model_dump(), **{k: _plain(v) for k, v in changes.items()}})


def _plain(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else value


def _score_scale(layer: GPTConfig, training: TrainingConfig) -> float | None:
    """What a layer's scores are multiplied with, if it is not what its config says."""
    attention = layer.attention
    if not isinstance(attention, SoftmaxAttentionConfig):
        return None
    size = attention.query_dim(layer)
    if training.base_head_dim is not None:
        base: float = training.base_head_dim
    elif getattr(attention, "head_dim", None) is None:
        base = size * training.base_width / layer.emb_dim
    else:
        base = size  # declared as a number, it is that at any width
    return None if base == size else attention.score_scale(layer) * math.sqrt(base / size)
