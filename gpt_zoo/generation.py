"""Text from a model, token by token."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from gpt_zoo.model import GPTModel
from gpt_zoo.sampling import Sampling
from gpt_zoo.token_ids import check_ids, check_mask


def generate(
    model: GPTModel,
    ids: Int[Tensor, "batch time"],
    max_new_tokens: int,
    *,
    attention_mask: Bool[Tensor, "batch time"] | Int[Tensor, "batch time"] | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int | None = None,
    stop_ids: Collection[int] = (),
    use_cache: bool = True,
) -> Int[Tensor, "batch longer"]:
    """`ids` continued by up to `max_new_tokens` tokens, each drawn from the model's distribution.

    Each step sees the last `context_length` tokens. Dropout is off meanwhile.

    Args:
        attention_mask: False or 0 where a token is padding, to the left of its sequence: see `pad_left`.
        temperature, top_k, top_p, min_p: See `gpt_zoo.sampling.Sampling`.
        seed: Makes the draw repeatable; None draws differently each time.
        stop_ids: Tokens that end a sequence. Behind its end a sequence repeats its last token, until all have
            ended or `max_new_tokens` are reached.
        use_cache: Compute each token alone, from what the cache keeps of those before it. Beyond
            `context_length` every step is computed anew, since all positions move.

    Raises:
        ValueError: an option out of its range, or ids that the model cannot read.
    """
    stream = generate_stream(
        model,
        ids,
        max_new_tokens,
        attention_mask=attention_mask,
        sampling=Sampling(temperature, top_k, top_p, min_p),
        seed=seed,
        stop_ids=stop_ids,
        use_cache=use_cache,
    )
    return torch.cat([ids, *stream], dim=1)


def generate_stream(
    model: GPTModel,
    ids: Int[Tensor, "batch time"],
    max_new_tokens: int,
    *,
    attention_mask: Tensor | None = None,
    sampling: Sampling = Sampling(),  # noqa: B008 - frozen
    seed: int | None = None,
    stop_ids: Collection[int] = (),
    use_cache: bool = True,
) -> Iterator[Int[Tensor, "batch 1"]]:
    """The same token by token, as soon as each is drawn.

    Raises:
        ValueError: (on the call, not on the first token) an option out of its range, or ids that the model
            cannot read.
    """
    if seed is not None and not -(2**63) <= seed < 2**63:
        raise ValueError(f"`seed` must be a number of 64 bits, got {seed}; try {seed % 2**32}")
    if max_new_tokens < 0:
        raise ValueError(f"`max_new_tokens` must not be negative, got {max_new_tokens}")
    generator = torch.Generator(device=ids.device)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    check_ids(ids[:, -model.config.context_length :], model.config)
    mask = None if attention_mask is None else check_mask(attention_mask, ids)
    decoding = _Decoding(model, ids, mask, max_new_tokens if use_cache else 0)
    return _stream(
        decoding, max_new_tokens, sampling, generator, torch.tensor(sorted(stop_ids), device=ids.device)
    )


def _stream(
    decoding: "_Decoding", max_new_tokens: int, sampling: Sampling, generator: torch.Generator, stops: Tensor
) -> Iterator[Tensor]:
    ended = torch.zeros(decoding.ids.size(0), 1, dtype=torch.bool, device=decoding.ids.device)
    with _evaluating(decoding.model):
        for _ in range(max_new_tokens):
            token = sampling.draw(decoding.next_logits(), generator)
            token = torch.where(ended, decoding.ids[:, -1:], token)
            decoding.append(token)
            yield token
            ended |= torch.isin(token, stops)
            if bool(ended.all()):
                return


@contextmanager
def _evaluating(model: GPTModel) -> Iterator[None]:
    """Dropout is off meanwhile; afterwards each module trains or not as before."""
    trained = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in trained:
            module.training = True


class _Decoding:
    """Sequences that grow, and the logits of what comes next.

    Args:
        cached: New tokens to keep room for in a cache; 0 computes every step anew.
    """

    def __init__(self, model: GPTModel, ids: Tensor, mask: Tensor | None, cached: int) -> None:
        self.model, self.ids = model, ids
        self.mask = None if mask is None or bool(mask.all()) else mask
        context = model.config.context_length
        fits = cached > 0 and ids.size(1) <= context
        self.cache = model.new_cache(min(ids.size(1) + cached, context)) if fits else None

    @torch.no_grad()  # not inference_mode: its tensors could not be trained on afterwards
    def next_logits(self) -> Tensor:
        """(B, V)."""
        context = self.model.config.context_length
        if self.cache is not None and self.ids.size(1) <= context:
            new = slice(self.cache.length, None)
            mask = None if self.mask is None else self.mask[:, new]
            logits = self.model(self.ids[:, new], mask, self.cache, only_last=True)
        else:
            self.cache = None
            mask = None if self.mask is None else self.mask[:, -context:]
            logits = self.model(self.ids[:, -context:], mask, only_last=True)
        return logits[:, -1]  # type: ignore[no-any-return]

    def append(self, token: Tensor) -> None:
        """Go on with a token for each sequence, (B, 1)."""
        self.ids = torch.cat((self.ids, token), dim=1)
        if self.mask is not None:
            self.mask = torch.cat((self.mask, torch.ones_like(token, dtype=torch.bool)), dim=1)


def pad_left(
    sequences: Sequence[Sequence[int]], pad_id: int = 0, device: torch.device | str = "cpu"
) -> tuple[Int[Tensor, "batch time"], Bool[Tensor, "batch time"]]:
    """Sequences of different lengths as one batch, and which of its tokens are no padding.

    Args:
        pad_id: Any token of the vocabulary; nothing depends on it.

    Raises:
        ValueError: no sequence, or an empty one.
    """
    if not sequences or not all(sequences):
        raise ValueError("each sequence needs at least one token; give an empty one the start-of-text token")
    longest = max(map(len, sequences))
    ids = [[pad_id] * (longest - len(sequence)) + list(sequence) for sequence in sequences]
    real = [[False] * (longest - len(sequence)) + [True] * len(sequence) for sequence in sequences]
    return torch.tensor(ids, device=device), torch.tensor(real, device=device)
