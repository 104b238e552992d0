"""A whole model's forward pass, told by its components: once for each layer that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.base import EmbeddedPositionConfig
from gpt_zoo.config.tape import EMBEDDED, FLOAT32, INT64, Made, Pass, Storage, Tape


@dataclass
class Stretch:
    """A piece of the model, such as a layer.

    Args:
        name: What it is called.
        tape: What it makes and keeps.
        read: The residual stream that it begins with, or makes.
        made: Its result.
        kept: Bytes that it keeps for the backward pass until its own begins.
        again: Further bytes that live in its backward pass: what it keeps when it is computed again.
    """

    name: str
    tape: Tape
    read: Made
    made: Made
    kept: int
    again: int = 0


@dataclass
class TracedModel:
    """A forward pass with its loss.

    Args:
        embedding: Up to the first layer.
        layers: Those that differ.
        order: Which of them each layer is, from the first to the last.
        head: From the last layer to the loss.
        shared: Bytes that layers keep in common, to the end.
        tied: Parameters of the token table, if the head multiplies with it too.
        kept_bytes: All that is kept for the backward pass, by part.
        part: The loss of some of the tokens, where it is made and learned from part by part; its `again` is
            what lives meanwhile.
    """

    embedding: Stretch
    layers: list[Stretch]
    order: Sequence[int]
    head: Stretch
    shared: int
    tied: int
    kept_bytes: dict[str, int]
    part: Stretch | None = None


def trace_training(
    config: GPTConfig, run: Pass, recompute: bool = False, loss_chunks: int = 1
) -> TracedModel:
    """The forward pass and the loss of a training step."""
    shared: dict[object, Made] = {}
    kept: dict[str, int] = {}
    embedding = trace_embedding(config, run, shared)
    size = embedding.made.size
    layers = [_trace_layer(layer, run, size, shared, recompute) for layer, _ in config.distinct_layers]
    together: dict[str, int] = {}
    for stretch, (_, count) in zip(layers, config.distinct_layers, strict=True):
        _count(kept, {"residual": stretch.kept} if recompute else stretch.tape.kept_bytes, count)
        _count(together, stretch.tape.shared_bytes)
    if EMBEDDED in shared and (recompute or layers[0].read.storage.keepers):  # the first layer keeps them too
        together["residual"] -= shared[EMBEDDED].storage.bytes
    _count(kept, together)
    head, part = _trace_head(config, run, size, shared, loss_chunks)
    for stretch in (embedding, head):
        _count(kept, stretch.tape.kept_bytes)
    return TracedModel(
        embedding=embedding,
        layers=layers,
        order=config.layer_numbers,
        head=head,
        shared=sum(together.values()),
        tied=config.embedding.table_params(config) if config.tie_embeddings else 0,
        kept_bytes=kept,
        part=part,
    )


def trace_embedding(config: GPTConfig, run: Pass, shared: dict[object, Made]) -> Stretch:
    """From ids to the first layer."""
    tape = Tape(run, shared)
    with tape.part("embedding"):
        x = config.embedding.trace(tape, config)
        if isinstance(config.position, EmbeddedPositionConfig):
            x = config.position.trace(tape, config, x)
        x = tape.dropout(x, config.drop_rate)
    return Stretch("embedding", tape, x, x, sum(tape.kept_bytes.values()))


def _stream(config: GPTConfig, run: Pass, size: int) -> Made:
    """The residual stream, as the layer before has left it."""
    numbers = run.batch * run.time * config.emb_dim
    return Made(numbers, size, Storage(numbers * size))


def _trace_layer(
    layer: GPTConfig, run: Pass, size: int, shared: dict[object, Made], recompute: bool
) -> Stretch:
    tape, x = Tape(run, shared), _stream(layer, run, size)
    made = layer.block.trace(tape, layer, x)
    kept = sum(tape.kept_bytes.values())
    if not recompute:
        return Stretch("layer", tape, x, made, kept)
    inside = kept - (x.storage.bytes if x.storage.keepers else 0)
    return Stretch("layer", tape, x, made, x.storage.bytes, inside)


def _trace_head(
    config: GPTConfig, run: Pass, size: int, shared: dict[object, Made], chunks: int
) -> tuple[Stretch, Stretch | None]:
    """The final norm, the logits and their cross-entropy; that of a part of the tokens if there are several.

    In parts the loss keeps nothing but gradients: of what the head reads, and of the head's weights.
    """
    tape, read = Tape(run, shared), _stream(config, run, size)
    x = _trace_final_norm(tape, config, read)
    targets = 0 if 1 in (run.batch, run.time) else INT64 * tape.tokens  # else they lie beside the ids
    part = None
    with tape.part("head"):
        if chunks == 1:
            loss = _trace_loss(tape, config, x, targets)
        else:
            part = _trace_loss_part(config, tape, x, chunks, targets)
            weights = sum(step.weights for step in part.tape.steps)
            tape.matrices += part.tape.matrices
            loss = tape.make(1, FLOAT32, x, keeps=(x.numbers * x.size, weights * run.size), weights=weights)
    return Stretch("head and loss", tape, read, loss, sum(tape.kept_bytes.values())), part


def _trace_loss_part(config: GPTConfig, whole: Tape, x: Made, chunks: int, targets: int) -> Stretch:
    """The loss of some tokens; meanwhile lives all that the head reads."""
    rows = -(-whole.tokens // chunks)
    tape = Tape(replace(whole.run, batch=1, time=rows), whole.shared)
    read = Made(x.numbers // whole.tokens * rows, x.size, Storage(0))  # lies in `x`
    with tape.part("head"):
        loss = _trace_loss(tape, config, read, 0)
    beside = x.numbers * x.size + targets
    return Stretch("loss of a part", tape, read, loss, sum(tape.kept_bytes.values()), beside)


def _trace_final_norm(tape: Tape, config: GPTConfig, x: Made) -> Made:
    with tape.part("norm"):
        return config.norm.trace(tape, config.emb_dim, x) if config.final_norm else x


def _trace_loss(tape: Tape, config: GPTConfig, x: Made, targets: int) -> Made:
    """Logits and their cross-entropy, in float32; `targets` are bytes that are kept of them."""
    logits = config.head.trace(tape, config, x)
    if logits.size < FLOAT32:
        logits = tape.copy(logits, FLOAT32)
    shares = tape.make(logits.numbers, FLOAT32, logits)
    tape.keep(shares)
    return tape.make(1, FLOAT32, shares, keeps=(shares, FLOAT32, targets))


def trace_inference(config: GPTConfig, run: Pass) -> tuple[int, int]:
    """The most that lives at once of what is computed for a prompt: up to the last layer, and after it."""
    shared: dict[object, Made] = {}
    most = trace_embedding(config, run, shared).tape.most_bytes
    stream = run.batch * run.time * config.emb_dim * run.size
    for layer, _ in config.distinct_layers:
        tape = Tape(run, shared)
        layer.block.trace(tape, layer, _stream(layer, run, run.size))
        most = max(most, stream + tape.most_bytes)
    masks = sum(made.storage.bytes for made in shared.values())
    tape, last = Tape(run, {}), Tape(Pass(run.batch, 1, run.size, learns=False), {})
    _trace_final_norm(tape, config, _stream(config, run, run.size))
    config.head.trace(last, config, _stream(config, last.run, run.size))
    return most + masks, stream + masks + max(tape.most_bytes, last.most_bytes)


def _count(total: dict[str, int], more: dict[str, int], times: int = 1) -> None:
    for part, size in more.items():
        total[part] = total.get(part, 0) + times * size
