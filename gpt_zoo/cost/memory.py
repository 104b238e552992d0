"""What the memory of a training step and of inference will be, in closed form. Nothing is allocated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.tape import BFLOAT16, FLOAT32, Pass
from gpt_zoo.cost.backward import Moment, backward_moments
from gpt_zoo.cost.model import cache_values, check_fits_context, model_cost, model_params
from gpt_zoo.cost.optimizers import Shape, master_gradients, optimizer_memory, summed_gradients
from gpt_zoo.cost.passes import TracedModel, trace_inference, trace_training

Precision = Literal["float32", "bfloat16", "bfloat16_master", "bfloat16_pure"]
"""float32; bfloat16: products under autocast, weights float32; bfloat16_master: bfloat16 weights and
gradients, and a float32 copy of the weights in the optimizer; bfloat16_pure: everything in bfloat16."""


PARTS = ("attention", "feed_forward", "norm", "residual", "embedding", "head")
"""What saves something for the backward pass."""


@dataclass(frozen=True)
class TrainingStep:
    """How a step of training is made.

    Args:
        batch_size: Sequences of a forward pass.
        context_length: Tokens of each; the config's own unless given.
        optimizer: A name of `OPTIMIZERS`.
        fused_attention: Whether attention is one kernel, where there is one for it.
        recompute: Whether each layer keeps its input only, and is computed again in the backward pass.
        gradient_accumulation: Forward passes whose gradients are added up for a step.
        loss_chunks: Parts of the tokens whose logits exist one after the other.
        device: Whose kernels compute. Those of cuda are told by their documentation, and not measured.
    """

    batch_size: int = 1
    context_length: int | None = None
    precision: Precision = "float32"
    optimizer: str = "adamw"
    fused_attention: bool = True
    recompute: bool = False
    gradient_accumulation: int = 1
    loss_chunks: int = 1
    device: Literal["cpu", "cuda"] = "cpu"


@dataclass(frozen=True)
class TrainingMemory:
    """The memory of a step once the optimizer has its state.

    Gradients come as what was saved goes, so the peak is less than the sum of all: it is weights, optimizer
    state, `peak_gradients_bytes`, `peak_saved_bytes` and `transient_bytes`.

    Args:
        weights_bytes: Of parameters.
        gradients_bytes: Of all of them; of several batches with bfloat16_master, of their sums in float32.
        optimizer_bytes: Its state, a float32 copy of the weights included if it has one.
        attention_bytes: Saved for the backward pass by the attention of all layers, as are the following.
        feed_forward_bytes: By feed-forward networks.
        norm_bytes: By norms, the residual stream that they read included.
        residual_bytes: By what is added to the residual stream.
        embedding_bytes: By embeddings and positions, the token ids included.
        head_bytes: By the head and the loss.
        transient_bytes: What the part of the step that reaches the peak needs beside all that is named.
        peak_gradients_bytes: Gradients that exist when that part begins.
        peak_saved_bytes: What is still saved then.
        peak_bytes: The most that lives at once.
        peak_moment: That part.
        moments: All parts, in their order.
    """

    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    attention_bytes: int
    feed_forward_bytes: int
    norm_bytes: int
    residual_bytes: int
    embedding_bytes: int
    head_bytes: int
    transient_bytes: int
    peak_gradients_bytes: int
    peak_saved_bytes: int
    peak_bytes: int
    peak_moment: str
    moments: tuple[Moment, ...]

    @property
    def saved_bytes(self) -> int:
        """All that is saved for the backward pass."""
        return sum(getattr(self, f"{part}_bytes") for part in PARTS)


@dataclass(frozen=True)
class InferenceMemory:
    """The memory of reading a prompt with an empty cache, which fills it, and of the next token's logits.

    Args:
        weights_bytes: Of parameters.
        kv_cache_bytes: Of the tokens that the cache keeps, windows included.
        kv_cache_reserve_bytes: What a cache of windows reserves beside them, so that it seldom moves.
        activation_bytes: The most that lives at once of what layers compute.
        logits_bytes: Of the last token of each sequence.
        peak_bytes: The most that lives at once; logits come when most activations are gone.
    """

    weights_bytes: int
    kv_cache_bytes: int
    kv_cache_reserve_bytes: int
    activation_bytes: int
    logits_bytes: int
    peak_bytes: int


def training_memory(config: GPTConfig, step: TrainingStep = TrainingStep()) -> TrainingMemory:
    """The memory of one training step.

    Raises:
        ValueError: a batch or context below 1, a context beyond the config's, an unknown name, or a component
            that does not say what it keeps.
    """
    _check(config, step)
    full = step.precision in ("float32", "bfloat16")
    size = FLOAT32 if full else BFLOAT16
    time = config.context_length if step.context_length is None else step.context_length
    run = Pass(
        step.batch_size,
        time,
        size,
        autocast=step.precision == "bfloat16",
        fused=step.fused_attention,
        cuda=step.device == "cuda",
    )
    traced = trace_training(config, run, step.recompute, step.loss_chunks)
    params = model_params(config)[0]
    master = step.precision == "bfloat16_master"
    summed = master and step.gradient_accumulation > 1  # bfloat16 would lose of a sum
    weights, gradients = size * params, (FLOAT32 if summed else size) * params
    hidden, others = _shapes(config, traced, params)
    state, temporary = optimizer_memory(step.optimizer, hidden, others, size, master)
    moments = list(backward_moments(traced, size, step.gradient_accumulation > 1 and not summed))
    if summed:
        moments = [replace(moment, gradients=gradients + moment.gradients) for moment in moments]
        turned = summed_gradients(_tensors(config, traced))
        moments.append(Moment("sum of gradients", gradients + weights, 0, turned))
    elif master:
        turning, turned = master_gradients(_tensors(config, traced))
        temporary = max(turning, turned + temporary)
    moments.append(Moment("optimizer step", gradients, 0, temporary))
    peak = max(moments, key=lambda moment: moment.sum)
    return TrainingMemory(
        weights_bytes=weights,
        gradients_bytes=gradients,
        optimizer_bytes=state,
        **{f"{part}_bytes": traced.kept_bytes.get(part, 0) for part in PARTS},
        transient_bytes=peak.transient,
        peak_gradients_bytes=peak.gradients,
        peak_saved_bytes=peak.saved,
        peak_bytes=weights + state + peak.sum,
        peak_moment=peak.name,
        moments=tuple(moments),
    )


def inference_memory(
    config: GPTConfig, batch_size: int = 1, context_length: int | None = None, bytes_per_value: int = 2
) -> InferenceMemory:
    """The memory of inference.

    Args:
        batch_size: B, sequences.
        context_length: Tokens of the prompt; the config's own unless given.
        bytes_per_value: Of a weight, an activation and a number in the cache.

    Raises:
        ValueError: as for `training_memory`.
    """
    cost = model_cost(config, context_length, batch_size, bytes_per_value)
    time = cost.context_length
    layers, top = trace_inference(config, Pass(batch_size, time, bytes_per_value, learns=False))
    reserve = bytes_per_value * batch_size * (_reserved_values(config, time) - cache_values(config, time))
    weights, logits = bytes_per_value * cost.params, bytes_per_value * batch_size * config.vocab_size
    return InferenceMemory(
        weights_bytes=weights,
        kv_cache_bytes=cost.kv_cache_bytes,
        kv_cache_reserve_bytes=reserve,
        activation_bytes=layers,
        logits_bytes=logits,
        peak_bytes=weights + cost.kv_cache_bytes + reserve + max(layers, top),
    )


def _shapes(config: GPTConfig, traced: TracedModel, params: int) -> tuple[list[Shape], list[Shape]]:
    """The matrices of layers, and all other parameters; what is no matrix counts as one vector."""
    hidden = [
        Shape(rows, columns, copies * count)
        for stretch, (_, count) in zip(traced.layers, config.distinct_layers, strict=True)
        for rows, columns, copies in stretch.tape.matrices
    ]
    tables = [Shape(config.embedding.rows(config), config.embedding.width(config))]
    if positions := config.position.params(config):
        tables.append(Shape(positions // config.emb_dim, config.emb_dim))
    beside = [*traced.embedding.tape.matrices, *traced.head.tape.matrices]
    tables += [Shape(*matrix) for matrix in (beside[:-1] if config.tie_embeddings else beside)]
    vectors = params - sum(shape.params for shape in (*hidden, *tables))
    return hidden, [*tables, Shape(vectors, 1)]


def _tensors(config: GPTConfig, traced: TracedModel) -> Iterator[int]:
    """Numbers of all parameters in the order of the model; what is no matrix of a layer counts as one."""
    yield config.embedding.table_params(config)
    yield from (rows * columns for rows, columns, _ in traced.embedding.tape.matrices)
    yield config.position.params(config)
    layers = []
    for stretch, (layer, _) in zip(traced.layers, config.distinct_layers, strict=True):
        tensors = [r * c for r, c, copies in stretch.tape.matrices for _ in range(copies)]
        layers.append([*tensors, layer.block.params(layer) - sum(tensors)])
    for number in traced.order:
        yield from layers[number]
    if not config.tie_embeddings:
        yield config.head.table_params(config)


def _reserved_values(config: GPTConfig, time: int) -> int:
    """Numbers that a cache for `time` tokens has room for: two windows of each layer that has one."""
    total = 0
    for layer, count in config.distinct_layers:
        window = getattr(layer.attention, "window", None)
        room = time if window is None else min(time, 2 * window)
        per_token = layer.attention.cache_values_per_token(layer)
        total += count * (room * per_token if per_token else layer.attention.cache_values(layer, time))
    return total


def _check(config: GPTConfig, step: TrainingStep) -> None:
    time = config.context_length if step.context_length is None else step.context_length
    for name, value in (
        ("batch size", step.batch_size),
        ("context length", time),
        ("gradient accumulation", step.gradient_accumulation),
        ("number of loss chunks", step.loss_chunks),
    ):
        if value < 1:
            raise ValueError(f"the {name} of a step must be at least 1, got {value}; try 1")
    check_fits_context(config, time)
    for name, given, known in (
        ("precision", step.precision, get_args(Precision)),
        ("device", step.device, ("cpu", "cuda")),
    ):
        if given not in known:
            raise ValueError(f"no {name} is called `{given}`; {did_you_mean(given, known)}")
