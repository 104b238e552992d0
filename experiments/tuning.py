"""What `auto` means in a training, chosen from what was measured of the device."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from pydantic import PositiveInt

from experiments.training.config import TrainingConfig
from experiments.training.learning_rate import settle_by_width
from experiments.training.recordable import recording_hindrance
from experiments.training.step import training_step
from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.tape import BFLOAT16, FLOAT32
from gpt_zoo.cost.model import model_params
from gpt_zoo.cost.roofline import AttentionTime, Device, TimePrecision, estimate_time, training_work

BFLOAT16_GAIN = 1.3
"""How many times as fast its products must be: what is around them gains less, or loses."""
ATTENTION_GAIN = 1.05
"""Less is within what two measurements differ by."""
WEIGHTS_BYTES = 2**29
"""Of the attention weights of all layers: writing out keeps them for the backward pass, fused does not."""
LOGITS_BYTES = 2**26
"""Of the float32 logits that exist at once."""
COMPILE_SECONDS = 30.0
"""That `regional` takes, about: 10 to 27 on two CPU cores. Not measured on CUDA."""
COMPILE_GAIN = 1.2
"""How many times as fast steps become: an assumption for CUDA, where it is not measured."""
PYTHON_BOUND_PARAMS = 5_000_000
"""Below, a GPU waits for Python; an estimate, not measured."""


class Tuning(Device):
    """A device of this machine, with what was measured to choose by."""

    device: Literal["cpu", "cuda", "mps"]
    """As torch calls it."""
    threads: PositiveInt
    """Of the processor, that torch computed with."""
    attention: tuple[AttentionTime, ...]

    def crossing(self, precision: TimePrecision, head_dim: int) -> int | None:
        """The longest context at which attention is faster written out; None if it never is.

        Args:
            head_dim: Of the heads; those that were measured whose size is nearest stand for them.
        """
        rows = [row for row in self.attention if row.precision == precision]
        nearest = min((row.head_dim for row in rows), key=lambda size: abs(size - head_dim), default=0)
        won = [row for row in rows if row.head_dim == nearest and row.gain >= ATTENTION_GAIN]
        return max((row.context_length for row in won), default=None)


def needs_tuning(training: TrainingConfig, device: str) -> bool:
    """Whether anything of a training on a device is chosen by what is measured of it."""
    chosen = [training.precision, training.attention_backend]
    return "auto" in (chosen if device != "cuda" else [*chosen, training.compile])


def check_means(training: TrainingConfig, device: str) -> None:
    """Refuse what the device cannot do.

    Raises:
        ValueError: CUDA graphs are asked for elsewhere.
    """
    if training.cuda_graphs == "on" and device != "cuda":
        raise ValueError(
            f"`training.cuda_graphs: on` needs a device of CUDA, got {device}; leave it out, or give `auto`"
        )


@dataclass(frozen=True)
class Case:
    """What a training is settled for.

    Args:
        config: Of the model.
        device: That it runs on, as torch calls it.
        tuning: What was measured of it; None if nothing.
        steps: Of the optimizer; None if time decides.
    """

    config: GPTConfig
    device: str
    tuning: Tuning | None
    steps: int | None


def resolve(
    training: TrainingConfig, config: GPTConfig, device: str, tuning: Tuning | None, steps: int | None
) -> TrainingConfig:
    """The training of `config` with each `auto` replaced by what is meant; one without comes back as it is.

    Of the learning rate `by_width` is settled too, and `auto` stays: that takes trainings, see
    `experiments.training.sweep`. Arguments are those of `Case`.

    Raises:
        ValueError: as for `check_means`.
    """
    check_means(training, device)
    case = Case(config, device, tuning, steps)
    for name, choose in CHOICES.items():
        if getattr(training, name) == "auto":
            training = training.model_copy(update={name: choose(training, case)})
    return settle_by_width(training, config.emb_dim)


def choose_precision(training: TrainingConfig, case: Case) -> str:
    """All in bfloat16, with float32 masters of the weights, where its products are much faster."""
    tuning = case.tuning
    if tuning is None or case.device == "mps":
        return "float32"
    slow, fast = tuning.float32_flops_per_second, tuning.bfloat16_flops_per_second
    return "bfloat16_master" if slow and fast and fast >= BFLOAT16_GAIN * slow else "float32"


def choose_attention(training: TrainingConfig, case: Case) -> str:
    """What was measured to be faster at this context, unless writing out takes much memory for it.

    A mask and dropout cost both ways about the same; attention without softmax has no choice.
    """
    layers = [pair for pair in case.config.distinct_layers if _has_softmax(pair[0])]
    if case.tuning is None or not layers:
        return "fused"
    low = _products(training) == "bfloat16"
    first = layers[0][0]
    assert isinstance(first.attention, SoftmaxAttentionConfig)
    head_dim = first.attention.query_dim(first)
    crossing = case.tuning.crossing(_products(training), head_dim)
    time = case.config.context_length
    heads = sum(layer.n_heads * (1 if training.recompute else count) for layer, count in layers)
    kept = training.batch_size * heads * time**2 * (BFLOAT16 if low else FLOAT32)
    shorter = crossing is not None and time <= crossing
    return "written_out" if shorter and kept <= WEIGHTS_BYTES else "fused"


def choose_loss_chunks(training: TrainingConfig, case: Case) -> int:
    """So many that the logits of each are small."""
    tokens = training.batch_size * case.config.context_length
    return min(tokens, ceil(tokens * case.config.vocab_size * FLOAT32 / LOGITS_BYTES))


def choose_compile(training: TrainingConfig, case: Case) -> str:
    """Each layer, on CUDA, where the training is long enough to earn back what that takes.

    On a CPU that is never: `regional` gains nothing, and `full` 1.10 times for 4 layers of 128 and 1.04 times
    for 6 of 384 (medians of 12 rounds in turns, bfloat16_master, two Zen 4 cores) for 12 and 23 s of
    compiling, with a C++ compiler that not every machine has.
    The estimate is the least that the steps can take, so that it errs towards `off`.
    """
    if case.device != "cuda" or case.tuning is None or case.steps is None:
        return "off"
    try:
        work = training_work(case.config, training_step(training, case.device))
    except ValueError:  # a component does not say what it keeps
        return "off"
    step = estimate_time(work, case.tuning, _products(training)).seconds * training.gradient_accumulation
    return "regional" if case.steps * step * (1 - 1 / COMPILE_GAIN) > COMPILE_SECONDS else "off"


def choose_cuda_graphs(training: TrainingConfig, case: Case) -> str:
    """For small models that are computed as they stand, where a step can be recorded."""
    small = model_params(case.config)[0] < PYTHON_BOUND_PARAMS
    eager = case.device == "cuda" and training.compile == "off"
    return "on" if eager and small and not recording_hindrance(case.config) else "off"


CHOICES: dict[str, Callable[[TrainingConfig, Case], object]] = {
    "precision": choose_precision,
    "attention_backend": choose_attention,
    "loss_chunks": choose_loss_chunks,
    "compile": choose_compile,
    "cuda_graphs": choose_cuda_graphs,
}
"""In an order in which each finds settled what it depends on."""


def means_of(training: TrainingConfig) -> dict[str, Any]:
    """The fields of a trial record that tell by what means it is computed, of a settled training."""
    rate = training.learning_rate
    means = {name: getattr(training, name) for name in (*CHOICES, "optimizer", "parametrization")}
    return means | {"learning_rate": None if isinstance(rate, str) else rate}


def describe(training: TrainingConfig) -> str:
    """By what means a settled training is computed: `bfloat16_master, written-out attention, no compile`."""
    told = [
        training.precision,
        f"{training.attention_backend.replace('_', '-')} attention",
        "no compile" if training.compile == "off" else f"{training.compile} compile",
    ]
    if training.loss_chunks != 1:
        told.append(f"loss in {training.loss_chunks} parts")
    if training.recompute:
        told.append("layers recomputed")
    if training.cuda_graphs == "on":
        told.append("CUDA graphs")
    return ", ".join(told)


def _has_softmax(layer: GPTConfig) -> bool:
    return isinstance(layer.attention, SoftmaxAttentionConfig)


def _products(training: TrainingConfig) -> TimePrecision:
    return "float32" if training.precision == "float32" else "bfloat16"
