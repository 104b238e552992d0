"""The comparison itself: contestants take turns, round by round, and only one computes at a time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments.bench.contenders import Contender, list_contenders
from experiments.bench.peers import Peer, refusals
from experiments.bench.process import PRODUCTS, ContestantError, ContestantProcess
from experiments.bench.result import Found, Products, ShapeResult
from experiments.bench.rounds import group_by_memory, turn_order
from experiments.bench.shapes import Shape
from experiments.free_memory import open_memory
from experiments.progress import Progress, Task
from experiments.run_tuning import find_tuning
from experiments.tuning import describe, resolve
from experiments.units import plural
from experiments.worker import Worker
from gpt_zoo.cost.memory import TrainingStep, training_memory

LIBRARIES_BYTES = 2**30
"""Of a process with its libraries; those of torch.compile are the largest."""
MARGIN = 1.3
"""Peers keep more than the least for the backward pass."""
USABLE = 0.8
"""Of the memory that is free: nothing may be swapped while it is timed."""


@dataclass(frozen=True)
class Bench:
    """How it is measured.

    Args:
        steps: In a turn; as many as the shape says unless given.
        tokens: Folder of the text, as `experiments.data.tokens` keeps it.
    """

    rounds: int
    steps: int | None
    threads: int
    device: str
    tokens: Path


def run_bench(
    shape: Shape, peers: Sequence[Peer], settings: Sequence[str], bench: Bench, progress: Progress
) -> ShapeResult:
    """Let all train the shape.

    Raises:
        ValueError: (before anything is timed) no setting of ours, or no such device.
    """
    refused = dict(refusals(peers, shape.config))
    contenders = list_contenders([peer for peer in peers if peer.name not in refused], settings)
    steps = bench.steps or shape.steps
    with TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with Worker(log) as worker:
            if bench.device != "cpu":
                worker.require_device(bench.device)
            asked = [_ask(contender, shape, bench, worker, progress) for contender in contenders]
            groups = list(_groups(shape, contenders, open_memory(bench.device, worker).free_bytes()))
        result = ShapeResult(shape, steps, [found for found, _ in asked], Products(), refused)
        total = len(groups) * bench.rounds * steps
        with progress.task(shape.name, total=total) as task:
            for number, group in enumerate(groups):
                chosen = [(found, request) for found, request in asked if found.contender in group]
                _run_group(result, chosen, bench, number * bench.rounds, log, task)
            task.update(total, f"{plural(len(contenders), 'contestant')}, {plural(bench.rounds, 'round')}")
    return result


def _ask(
    contender: Contender, shape: Shape, bench: Bench, worker: Worker, progress: Progress
) -> tuple[Found, dict[str, Any]]:
    """What a contestant is asked to be, and where what is found of it goes."""
    request = {
        "library": contender.library,
        "setting": contender.setting,
        "config": shape.config.model_dump(mode="json"),
        "batch_size": shape.batch_size,
        "tokens": str(bench.tokens),
        "device": bench.device,
        "threads": bench.threads,
    }
    if not contender.is_ours:
        return Found(contender, "", "autocast" not in contender.setting), request
    declared = contender.declare(shape.batch_size).model_copy(update={"threads": bench.threads})
    tuning = find_tuning(declared, bench.device, worker, progress)
    training = resolve(declared, shape.config, bench.device, tuning, None)
    found = Found(contender, describe(training), training.precision == "float32")
    return found, request | {"training": training.model_dump(mode="json")}


def _groups(shape: Shape, contenders: Sequence[Contender], free_bytes: int) -> Iterator[list[Contender]]:
    """Those that live at once; ours are in each group, as all are compared with them."""
    step = TrainingStep(batch_size=shape.batch_size, fused_attention=False)
    try:
        need = int(MARGIN * training_memory(shape.config, step).peak_bytes) + LIBRARIES_BYTES
    except ValueError:  # a component does not say what it keeps: no two peers at once
        need = free_bytes
    own = [contender for contender in contenders if contender.is_ours]
    yield from group_by_memory(dict.fromkeys(contenders, need), own, int(USABLE * free_bytes))


def _run_group(
    result: ShapeResult,
    asked: Sequence[tuple[Found, dict[str, Any]]],
    bench: Bench,
    first_round: int,
    log: Path,
    task: Task,
) -> None:
    """All rounds of those that live at once."""
    limit = {"library": PRODUCTS, "device": bench.device, "threads": bench.threads}
    with ExitStack() as alive:
        products = alive.enter_context(ContestantProcess(limit, log))
        products.start()
        playing = []
        for found, request in asked:
            task.update(first_round * result.steps, f"{found.contender.label} warms up")
            process = alive.enter_context(ContestantProcess(request, log))
            with _recording_failure(found):
                introduced = process.start()
                found.params, found.warm_up_seconds = introduced["params"], introduced["warm_up_seconds"]
                found.losses.clear()  # of ours, begun anew with each group
                playing.append((found, process))
        for number in range(first_round, first_round + bench.rounds):
            rates = products.turn(1)
            result.products.float32[number] = rates["float32_flops_per_second"]
            result.products.bfloat16[number] = rates["bfloat16_flops_per_second"]
            for found, process in turn_order(playing, number):
                task.update(number * result.steps, f"{found.contender.label}, round {number + 1}")
                if found.failed is None:
                    with _recording_failure(found):
                        _take_turn(found, process.turn(result.steps), number, result)


def _take_turn(found: Found, turn: dict[str, Any], number: int, result: ShapeResult) -> None:
    found.tokens_per_second[number] = result.steps * result.shape.tokens_per_step / turn["seconds"]
    found.losses += turn["losses"]
    found.memory_bytes = turn["memory_bytes"]


@contextmanager
def _recording_failure(found: Found) -> Iterator[None]:
    """One that fails is told as such, and the others go on."""
    try:
        yield
    except ContestantError as error:
        found.failed = str(error)
