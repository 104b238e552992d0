"""One training from its declaration to its record. Runs in a process of its own: see `worker`."""

import math
import time
from typing import Any

import torch

from experiments.data.tokens import Tokens, open_tokens
from experiments.progress import Task
from experiments.record import Status, TrialRecord
from experiments.speed import describe_speed
from experiments.training.device import device_name, find_device, set_threads, use_deterministic
from experiments.training.loop import DivergedError, Training
from experiments.training.memory import MemoryMeter, PeakMemory
from experiments.training.sweep import Short, best_rate, find_rate, losses_of
from experiments.trial_job import TrialJob
from experiments.tuning import means_of
from gpt_zoo.checkpoint import save_checkpoint
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import model_cost
from gpt_zoo.measure.flops import measure_flops_forward


def run_trial(job: TrialJob, task: Task) -> TrialRecord:
    """Train what `job` declares and return its completed record, whatever became of it.

    Raises:
        KeyboardInterrupt, BrokenPipeError: the training was interrupted; its state is kept.
        Exception: a defect, ours or a plug-in's; the worker turns it into a record.
    """
    start = time.perf_counter()
    set_threads(job.training.threads)
    if job.training.deterministic:
        use_deterministic()
    device = find_device(job.training.device)
    config = GPTConfig.model_validate(job.record.config)
    check_flops(config)
    tokens = open_tokens(job.tokens)
    meter = MemoryMeter(device)
    if job.training.learning_rate == "auto":
        short = Short(config, tokens, job.training, job.budget, job.sweep_seed, device, meter)
        job = _sweep(job, short, task)
        if job.record.status is Status.DIVERGED:
            return job.record
    training = Training(config, tokens, job.training, job.budget, job.record.seed, device, job.state, meter)
    built = time.perf_counter()
    status, reason = Status.COMPLETE, ""
    try:
        training.run(task, job.points)
        if not training.is_over():
            training.save_state()
            status = Status.STOPPED
    except (KeyboardInterrupt, BrokenPipeError):  # told to end, or nobody is left to tell
        training.save_state()
        raise
    except DivergedError as error:
        status, reason = Status.DIVERGED, str(error)
    if job.training.save_weights and status is Status.COMPLETE:
        save_checkpoint(job.weights, training.model)
        tokens.tokenizer.save(job.weights)
    peak = meter.peak()
    return job.record.model_copy(
        update={
            "status": status,
            "reason": reason,
            "device": str(device),
            **_memory(training, peak),
            "build_seconds": built - start,
            "wall_seconds": time.perf_counter() - start,
            **means_of(training.training),
            "threads": torch.get_num_threads(),
            **_spent(training),
            **(_losses(training, tokens) if status is Status.COMPLETE else {}),
        }
    )


def _sweep(job: TrialJob, short: Short, task: Task) -> TrialJob:
    """The job with the learning rate that its sweep finds; if all diverge, with a record that says so."""
    tried = find_rate(short, job.sweep, task)
    losses = losses_of(tried)
    rate = best_rate(losses)
    found: dict[str, Any] = {"learning_rates": tried, "sweep_flops": sum(one.train_flops for one in tried)}
    if not math.isfinite(losses[rate]):
        rates = f"from {min(losses):.2g} to {max(losses):.2g}"
        found |= {"status": Status.DIVERGED, "reason": f"the loss diverged at every learning rate {rates}"}
    return job.model_copy(
        update={
            "record": job.record.model_copy(update=found),
            "training": job.training.model_copy(update={"learning_rate": rate * short.shift}),
        }
    )


def check_flops(config: GPTConfig) -> None:
    """Hold the closed form, which the record shows, against fvcore's count of the built model.

    Raises:
        RuntimeError: the two differ: a component's formula is wrong.
    """
    counted, formula = measure_flops_forward(config), model_cost(config).flops_forward
    if counted != formula:
        raise RuntimeError(f"fvcore counts {counted} forward FLOPs, but the closed form gives {formula}")


def _memory(training: Training, peak: PeakMemory) -> dict[str, int | None]:
    on_cpu = training.device.type == "cpu"
    return {
        "memory_bytes": peak.memory_bytes,
        "process_memory_bytes": peak.process_memory_bytes,
        "tracked_memory_bytes": training.spent.tracked_bytes if on_cpu else peak.memory_bytes,
    }


def _spent(training: Training) -> dict[str, Any]:
    spent, device = training.spent, training.device
    tokens = training.tokens_seen()
    train_flops = training.cost.flops_train(tokens)
    return {
        "steps": spent.step,
        "tokens": tokens,
        "epochs": training.epochs(),
        "train_flops": train_flops,
        "seconds": spent.seconds,
        "tokens_per_second": tokens / spent.seconds if spent.seconds else None,
        "curve": spent.curve,
        **describe_speed(
            train_flops,
            spent.seconds,
            training.engine.clock.seconds,
            spent.loop_seconds,
            training.training.precision,
            device.type,
            device_name(device),
            torch.get_num_threads(),
        ),
    }


def _losses(training: Training, tokens: Tokens) -> dict[str, Any]:
    """Of the end of the curve. The text that is predicted is the same for every tokenizer."""
    last = training.spent.curve[-1]
    assert last.validation_loss is not None
    bits = last.validation_loss * (len(tokens.validation) - 1) / math.log(2)
    return {
        "train_loss": last.train_loss,
        "validation_loss": last.validation_loss,
        "perplexity": math.exp(min(last.validation_loss, 700.0)),
        "bits_per_byte": bits / tokens.validation_bytes if tokens.lossless else None,
    }
