"""What memory a step of training and an inference really take.

The peak on the CPU is the most that torch's allocator had handed out at once, read from the record of all
its allocations that torch's profiler keeps. It sees what lives inside of kernels for a moment, which a
tracker of tensors does not; and it is the same in each run, which the high-water mark of a process is not:
that also holds the libraries, what threads and matrix kernels put aside for themselves, and memory that was
freed and not given back. On CUDA it is torch's own `max_memory_allocated`.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile, record_function

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import TrainingStep
from gpt_zoo.model import GPTModel
from gpt_zoo.steps.attention import use_attention
from gpt_zoo.steps.loss import next_token_loss
from gpt_zoo.steps.optimizers import is_turned_by_muon
from gpt_zoo.steps.recompute import recompute_layers
from gpt_zoo.steps.weights import build_weights

HIGH_WATER = Path("/proc/self/status")
START = "measured from here"


class TrainingRun:
    """A model, an optimizer and a batch of random tokens, for steps as `step` declares them.

    Raises:
        ValueError: torch has no such optimizer.
    """

    def __init__(self, config: GPTConfig, step: TrainingStep) -> None:
        self.step = step
        self.device = torch.device(step.device)
        self.model = GPTModel(config).to(self.device).train()
        if step.precision == "bfloat16_pure":
            self.model = self.model.bfloat16()
        self.weights = build_weights(self.model, step.precision)
        use_attention(self.model, "fused" if step.fused_attention else "written_out")
        if step.recompute:
            recompute_layers(self.model)
        time = step.context_length or config.context_length
        shape = (step.batch_size, time + 1)
        self.windows: Int[Tensor, "batch longer"] = torch.randint(
            config.vocab_size, shape, device=self.device
        )
        self.optimizers = build_optimizers(self.weights.named(), step)

    def run(self) -> None:
        """One step, as training makes it."""
        parts = self.step.gradient_accumulation
        for _ in range(parts):
            self.loss().backward()  # type: ignore[no-untyped-call]
            if parts > 1:
                self.weights.add_up()
        self.weights.step(self.optimizers, clip=1.0)

    def loss(self) -> Tensor:
        """The loss that is learned from."""
        autocast = self.step.precision == "bfloat16"
        loss = next_token_loss(self.model, self.windows, autocast, self.step.loss_chunks)
        auxiliary = self.model.auxiliary_loss()
        return loss if auxiliary is None else loss + auxiliary


def build_optimizers(
    named: Sequence[tuple[str, nn.Parameter]], step: TrainingStep
) -> list[torch.optim.Optimizer]:
    """torch's optimizers of that name; Muon takes the matrices of layers, AdamW the rest."""
    adamw = partial(torch.optim.AdamW, lr=1e-3, fused=True)
    if step.optimizer == "muon":
        hidden = [p for name, p in named if is_turned_by_muon(name, p)]
        others = [p for name, p in named if not is_turned_by_muon(name, p)]
        return [torch.optim.Muon(hidden, lr=1e-3), adamw(others)]
    build: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adamw": adamw,
        "sgd": partial(torch.optim.SGD, lr=1e-3),
        "sgd_momentum": partial(torch.optim.SGD, lr=1e-3, momentum=0.9),
        "adafactor": partial(torch.optim.Adafactor, lr=1e-3),
    }
    if step.optimizer not in build:
        raise ValueError(f"torch has no optimizer `{step.optimizer}`; it has {', '.join([*build, 'muon'])}")
    return [build[step.optimizer]([parameter for _, parameter in named])]


def measure_saved(config: GPTConfig, step: TrainingStep) -> int:
    """Bytes that autograd saves of a forward pass with its loss, parameters excluded, shared memory once."""
    run = TrainingRun(config, step)
    own = {p.untyped_storage()._cdata for p in run.model.parameters()}
    saved: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            saved[storage._cdata] = storage  # held, so that no other takes its address
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        run.loss()
    return sum(storage.nbytes() for storage in saved.values())


def measure_training_memory(config: GPTConfig, step: TrainingStep) -> int:
    """The peak of a training step in bytes, once the optimizer has its state; weights and all included."""
    with peak_of(step.device) as peak:
        run = TrainingRun(config, step)
        run.run()
        with peak.from_here():
            run.run()
    return peak.bytes


@torch.no_grad()
def measure_inference_memory(
    config: GPTConfig,
    batch_size: int = 1,
    context_length: int | None = None,
    dtype: torch.dtype = torch.bfloat16,
    device: str = "cpu",
) -> int:
    """The peak of reading prompts into an empty cache, in bytes, weights and all included."""
    time = context_length or config.context_length
    with peak_of(device) as peak:
        model = GPTModel(config).to(device, dtype).eval()
        ids = torch.randint(config.vocab_size, (batch_size, time), device=device)
        with peak.from_here():
            model(ids, cache=model.new_cache(time), only_last=True)
    return peak.bytes


class Peak:
    """The peak of a stretch of work, known when it is over."""

    def __init__(self, cuda: bool) -> None:
        self.cuda = cuda
        self.bytes = 0

    @contextmanager
    def from_here(self) -> Iterator[None]:
        """Mark the stretch; what lives when it begins counts, what came and went does not."""
        if self.cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            yield
            torch.cuda.synchronize()
            self.bytes = torch.cuda.max_memory_allocated()
        else:
            with record_function(START):
                yield


@contextmanager
def peak_of(device: str) -> Iterator[Peak]:
    """Watch all that is allocated; nothing that is measured may have been allocated before."""
    if device == "cuda":
        yield Peak(cuda=True)
        return
    peak = Peak(cuda=False)
    gc.collect()  # so that nothing from before is freed while it is watched
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        yield peak
    assert profiler.profiler is not None
    live, start, changes = 0, 0, []
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            changes.append((event.start_ns(), event.nbytes()))
        elif event.name() == START:
            start = event.start_ns()
    for time, change in sorted(changes, key=lambda entry: entry[0]):
        live += change
        if time >= start:
            peak.bytes = max(peak.bytes, live)


def process_high_water() -> int | None:
    """The most memory that this process ever had, in bytes, where the system tells it."""
    if not HIGH_WATER.exists():
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", HIGH_WATER.read_text())
    return None if found is None else 1024 * int(found[1])
