"""Text from a model, token by token."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gpt_zoo.model import GPTModel


@torch.no_grad()  # not inference_mode: its tensors could not be trained on afterwards
def generate(
    model: GPTModel,
    ids: Int[Tensor, "batch time"],
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
) -> Int[Tensor, "batch longer"]:
    """`ids` continued by `max_new_tokens` tokens, each drawn from the model's distribution.

    Each step sees the last `context_length` tokens. Dropout is off meanwhile.

    Args:
        temperature: Divides the logits; below 1 sharpens, 0 always takes the likeliest token.
        top_k: Draw among the k likeliest tokens only.
        top_p: Draw among the likeliest tokens only which together reach this probability (nucleus sampling,
            Holtzman et al. 2019, arXiv:1904.09751). Applied after `top_k`.
        seed: Makes the draw repeatable; None draws differently each time.

    Raises:
        ValueError: an option out of its range, or ids that the model cannot read.
    """
    _check_options(max_new_tokens, temperature, top_k, top_p)
    generator = torch.Generator(device=ids.device)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    was_training = model.training
    model.eval()
    try:
        for _ in range(max_new_tokens):
            logits = model(ids[:, -model.config.context_length :])[:, -1]  # (B, V)
            ids = torch.cat((ids, _draw(logits, temperature, top_k, top_p, generator)), dim=1)
    finally:
        model.train(was_training)
    return ids


def _check_options(max_new_tokens: int, temperature: float, top_k: int | None, top_p: float | None) -> None:
    if max_new_tokens < 0:
        raise ValueError(f"`max_new_tokens` must not be negative, got {max_new_tokens}")
    if not (temperature >= 0 and math.isfinite(temperature)):
        raise ValueError(f"`temperature` must be 0 or more, got {temperature}; 0 takes the likeliest token")
    if top_k is not None and top_k < 1:
        raise ValueError(f"`top_k` must be at least 1, got {top_k}; None draws among all tokens")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"`top_p` must lie above 0 and up to 1, got {top_p}; None draws among all tokens")


def _draw(
    logits: Float[Tensor, "batch vocab_size"],
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator,
) -> Int[Tensor, "batch 1"]:
    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    ordered, order = logits.float().sort(dim=-1, descending=True)
    # Below the largest logit, and divided by no subnormal number, nothing overflows to nan.
    ordered = (ordered - ordered[:, :1]) / max(temperature, torch.finfo(ordered.dtype).tiny)
    if top_k is not None:
        ordered[:, top_k:] = -math.inf
    probabilities = ordered.softmax(dim=-1)
    if top_p is not None:
        before = probabilities.cumsum(dim=-1) - probabilities  # the mass of all likelier tokens
        probabilities = probabilities.masked_fill(before >= top_p, 0.0)
    return order.gather(-1, torch.multinomial(probabilities, 1, generator=generator))
