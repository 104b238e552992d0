"""The shapes whose training is timed."""

from dataclasses import dataclass
from typing import Any

from gpt_zoo.config.gpt import GPT_CONFIG_124M, GPTConfig

BYTES = 256
"""Ids of the text that is trained on."""
CUSTOM_STEPS = 8


@dataclass(frozen=True)
class Shape:
    """A model and its batch.

    Args:
        steps: Timed in a row, unless the command says otherwise: some seconds on two cores.
    """

    name: str
    config: GPTConfig
    batch_size: int
    steps: int

    @property
    def tokens_per_step(self) -> int:
        """Tokens that a step learns from."""
        return self.batch_size * self.config.context_length


def _shape(name: str, batch_size: int, steps: int, **fields: Any) -> Shape:
    return Shape(name, GPTConfig.model_validate({**fields, "drop_rate": 0.0}), batch_size, steps)


SHAPES = {
    shape.name: shape
    for shape in (
        _shape("tiny", 16, 25, vocab_size=BYTES, context_length=128, emb_dim=128, n_heads=4, n_layers=4),
        _shape("small", 8, 8, vocab_size=BYTES, context_length=256, emb_dim=384, n_heads=6, n_layers=6),
        _shape("124m", 2, 4, **GPT_CONFIG_124M),
    )
}


def find_shape(reference: str, batch_size: int | None = None) -> Shape:
    """A shape of the table, or of a variant, without dropout.

    Args:
        reference: A name in `SHAPES` or in the catalog, or a file.
        batch_size: Sequences of a step; the shape's own unless given, which a variant does not have.

    Raises:
        ValueError: nothing is called so, the batch is missing or below 1, or the vocabulary is too small.
    """
    from registry import load_variant

    if batch_size is not None and batch_size < 1:
        raise ValueError(f"a batch has at least one sequence, got --batch-size {batch_size}; try 8")
    if reference in SHAPES:
        shape = SHAPES[reference]
        return Shape(shape.name, shape.config, batch_size or shape.batch_size, shape.steps)
    variant = load_variant(reference, {"drop_rate": 0.0})
    if batch_size is None:
        raise ValueError(f"the batch of `{reference}` must be given; try --batch-size 8")
    if variant.config.vocab_size < BYTES:
        raise ValueError(
            f"the text is read as bytes, so a vocabulary has at least {BYTES} ids, got "
            f"{variant.config.vocab_size} for `{reference}`; try a variant with vocab_size {BYTES}"
        )
    return Shape(variant.name, variant.config, batch_size, CUSTOM_STEPS)


def is_plain(config: GPTConfig) -> bool:
    """Whether it is the shape that all peers build: that of GPT-2, with an untied head."""
    sizes = ("vocab_size", "context_length", "emb_dim", "n_heads", "n_layers", "qkv_bias", "initialization")
    return config == GPTConfig.model_validate({name: getattr(config, name) for name in sizes})
