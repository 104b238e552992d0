"""How long steps of a built model really take here: prefill, decoding, training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import psutil
import torch
from torch import Tensor

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import TrainingStep, inference_memory, training_memory
from gpt_zoo.cost.model import model_cost
from gpt_zoo.cost.roofline import BYTES, Phase, TimePrecision
from gpt_zoo.measure.machine import synchronize
from gpt_zoo.model import GPTModel
from gpt_zoo.steps.loss import next_token_loss
from gpt_zoo.steps.optimizers import has_fused_adamw
from gpt_zoo.steps.weights import PlainWeights

WARM_UP, STEPS = 2, 7
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Timing:
    """What several steps of a phase took, after some that were not counted.

    Args:
        phase: As for `gpt_zoo.cost.roofline.Work`.
        precision: Of the products.
        tokens: That a step reads, writes or learns from.
        seconds: Of each step, in their order.
        device: As torch calls it.
        threads: That torch computed with on the CPU.
    """

    phase: Phase
    precision: TimePrecision
    tokens: int
    seconds: tuple[float, ...]
    device: str
    threads: int

    @property
    def median_seconds(self) -> float:
        """Of a step."""
        return median(self.seconds)

    @property
    def tokens_per_second(self) -> float:
        """In the median step."""
        return self.tokens / self.median_seconds


def measure_times(
    config: GPTConfig,
    batch_size: int = 1,
    context_length: int | None = None,
    precision: TimePrecision = "float32",
    device: str = "cpu",
    tell: Tell = lambda note: None,
) -> list[Timing]:
    """Build the model with random weights, and time a few steps of each phase.

    Decoding is timed on the tokens that fill the context up, so that its caches are nearly as long as they
    get. Inference has its weights in `precision`; training has float32 weights, with autocast for bfloat16.

    Args:
        batch_size: B.
        context_length: T; the config's own unless given.
        device: As torch calls it.
        tell: Hears what is being done.

    Raises:
        ValueError: T or B does not fit the model, T is too short to decode so many tokens, or a step does not
            fit into the memory that is free.
    """
    context = model_cost(config, context_length, batch_size).context_length
    check_memory(config, batch_size, context, precision, free_bytes(device), device)
    if context <= WARM_UP + STEPS:
        raise ValueError(
            f"{WARM_UP + STEPS} tokens are decoded to time them, after one at least, got a context of "
            f"{context}; give one of {WARM_UP + STEPS + 1} or more"
        )
    tell("building the model")
    with torch.device(device):
        model = GPTModel(config)
    ids = torch.randint(0, config.vocab_size, (batch_size, context + 1), device=device)
    clock = _Clock(precision, device, tell)
    trained = clock.times("training", batch_size * context, _training_step(model, ids, precision))
    if precision == "bfloat16":
        model = model.to(torch.bfloat16)
    return [*_inference_times(model.eval(), ids[:, :-1], clock), trained]


@torch.no_grad()
def _inference_times(model: GPTModel, ids: Tensor, clock: _Clock) -> list[Timing]:
    prompt = ids.size(1) - WARM_UP - STEPS

    def prefill() -> None:
        model(ids, cache=model.new_cache(ids.size(1)), only_last=True)

    read = clock.times("prefill", ids.numel(), prefill)
    cache = model.new_cache(ids.size(1))
    model(ids[:, :prompt], cache=cache, only_last=True)

    def decode() -> None:
        model(ids[:, cache.length : cache.length + 1], cache=cache, only_last=True)

    return [read, clock.times("decode", ids.size(0), decode)]


def _training_step(model: GPTModel, ids: Tensor, precision: TimePrecision) -> Callable[[], None]:
    """Forward, backward and a step of AdamW, as training makes it."""
    weights = PlainWeights(model.train())
    stepped = [parameter for _, parameter in weights.named()]
    optimizer = torch.optim.AdamW(stepped, lr=1e-4, fused=has_fused_adamw(stepped[0]))

    def step() -> None:
        loss = next_token_loss(model, ids, autocast=precision == "bfloat16")
        auxiliary = model.auxiliary_loss()
        (loss if auxiliary is None else loss + auxiliary).backward()  # type: ignore[no-untyped-call]
        weights.step([optimizer], clip=1.0)

    return step


class _Clock:
    def __init__(self, precision: TimePrecision, device: str, tell: Tell) -> None:
        self.precision, self.device, self.tell = precision, device, tell

    def times(self, phase: Phase, tokens: int, step: Callable[[], None]) -> Timing:
        """Warm up, then time some steps."""
        seconds = []
        for number in range(WARM_UP + STEPS):
            self.tell(f"{phase} in {self.precision}, step {number + 1} of {WARM_UP + STEPS}")
            synchronize(self.device)
            start = time.perf_counter()
            step()
            synchronize(self.device)
            seconds.append(time.perf_counter() - start)
        counted = tuple(seconds[WARM_UP:])
        return Timing(phase, self.precision, tokens, counted, self.device, torch.get_num_threads())


def free_bytes(device: str) -> int:
    """Memory that a model could have now."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    # A Mac's GPU uses the memory that all have.
    return int(psutil.virtual_memory().available)


def check_memory(
    config: GPTConfig, batch_size: int, context: int, precision: TimePrecision, free: int, device: str
) -> None:
    """Refuse a model whose steps do not fit, before anything is built.

    Raises:
        ValueError: they need more than `free` bytes.
    """
    step = TrainingStep(batch_size, context, precision, device="cpu" if device == "cpu" else "cuda")
    training = training_memory(config, step).peak_bytes
    inference = inference_memory(config, batch_size, context, BYTES[precision]).peak_bytes
    if (needed := max(training, inference)) > free:
        raise ValueError(
            f"a step must fit into free memory, got {needed / 2**30:.1f} GiB (predicted) and "
            f"{free / 2**30:.1f} GiB free on {device}; try a smaller batch size or context length, or only "
            "estimate, without --measure"
        )
