"""Text from the models that a run has trained."""

from pathlib import Path
from typing import Any

from experiments.record import Status
from experiments.run_folder import RunFolder


def find_weights(source: Path, trial: int | None = None) -> Path:
    """The folder of trained weights that a run folder or a checkpoint means.

    Args:
        source: A run folder, or a folder of weights.
        trial: Which trial of the run; the one with the lowest validation loss unless given.

    Raises:
        ValueError: there are no weights.
    """
    if (source / "model.safetensors").is_file():
        return source
    run = RunFolder(source)
    kept = [
        record
        for record in run.load_records()
        if record.status is Status.COMPLETE and run.weights_path(record.trial, record.seed).is_dir()
    ]
    chosen = [record for record in kept if trial is None or record.trial == trial]
    if not chosen:
        if kept:
            raise ValueError(f"{source} has no weights of trial {trial}; it has those of {_trials(kept)}")
        raise ValueError(
            f"{source} holds no weights; train with `gpt-zoo train`, or with training.save_weights=true"
        )
    best = min(chosen, key=lambda record: record.validation_loss or 0.0)
    return run.weights_path(best.trial, best.seed)


def _trials(records: list[Any]) -> str:
    return ", ".join(str(trial) for trial in sorted({record.trial for record in records}))


def continue_text(weights: Path, prompt: str, max_new_tokens: int, **options: Any) -> str:
    """`prompt` and what the model in `weights` writes after it.

    Args:
        options: As for `gpt_zoo.generate`.

    Raises:
        ValueError: an empty prompt for a tokenizer without separator, or options out of range.
    """
    import torch

    from experiments.data.tokenizers import load_tokenizer
    from gpt_zoo import generate, load_checkpoint

    tokenizer = load_tokenizer(weights)
    beginning = [] if tokenizer.separator is None else [tokenizer.separator]
    ids = beginning + list(tokenizer.encode(prompt))
    if not ids:
        raise ValueError("the prompt is empty; give some text to go on from")
    continued = generate(load_checkpoint(weights), torch.tensor([ids]), max_new_tokens, **options)
    return tokenizer.decode(continued[0, len(beginning) :].tolist())
