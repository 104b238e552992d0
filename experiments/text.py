"""Text from the models that a run has trained."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.record import Status
from experiments.run_folder import RunFolder

if TYPE_CHECKING:
    from experiments.data.tokenizers import Tokenizer


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
    best = min(
        chosen, key=lambda record: math.inf if record.validation_loss is None else record.validation_loss
    )
    return run.weights_path(best.trial, best.seed)


def _trials(records: list[Any]) -> str:
    return ", ".join(str(trial) for trial in sorted({record.trial for record in records}))


def continue_texts(
    weights: Path,
    prompts: Sequence[str],
    max_new_tokens: int,
    *,
    stop: Sequence[str] = (),
    on_text: Callable[[int, str], None] = lambda index, text: None,
    seed: int | None = None,
    **sampling: Any,
) -> list[str]:
    """Each of the `prompts` and what the model in `weights` writes after it, as one batch.

    A text ends before the first of the `stop` strings, where the model separates documents, or after
    `max_new_tokens`.

    Args:
        stop: Texts that end the writing; they are left out.
        on_text: Called with the number of the prompt and the next piece of its text, the prompt itself first,
            as soon as it is certain.
        seed: Makes the draw repeatable.
        sampling: As for `gpt_zoo.Sampling`.

    Raises:
        ValueError: an empty prompt for a tokenizer without separator, or options out of range.
    """
    from experiments.data.tokenizers import load_tokenizer
    from gpt_zoo import Sampling, generate_stream, load_checkpoint, pad_left

    tokenizer = load_tokenizer(weights)
    separators = [] if tokenizer.separator is None else [tokenizer.separator]
    ids, real = pad_left(_encode(tokenizer, prompts, separators, stop))
    stream = generate_stream(
        load_checkpoint(weights),
        ids,
        max_new_tokens,
        attention_mask=real,
        sampling=Sampling(**sampling),
        seed=seed,
        stop_ids=separators,
    )
    texts = [_Text(prompt, tokenizer, stop, partial(on_text, n)) for n, prompt in enumerate(prompts)]
    for tokens in stream:
        for text, token in zip(texts, tokens[:, 0].tolist(), strict=True):
            text.append(token)
        if all(text.ended for text in texts):
            break
    return [text.finish() for text in texts]


def _encode(
    tokenizer: "Tokenizer", prompts: Sequence[str], separators: Sequence[int], stop: Sequence[str]
) -> list[list[int]]:
    """The tokens of each prompt, behind a separator if there is one."""
    if not all(stop):
        raise ValueError("a stop string must not be empty; leave it out to write on")
    sequences = [[*separators, *tokenizer.encode(prompt)] for prompt in prompts]
    if not all(sequences):
        raise ValueError("the prompt is empty; give some text to go on from")
    return sequences


class _Text:
    """A text that grows token by token, and tells each piece of it once.

    Args:
        told: Called with each piece, the prompt first.
    """

    def __init__(
        self, prompt: str, tokenizer: "Tokenizer", stop: Sequence[str], told: Callable[[str], None]
    ) -> None:
        self.prompt, self.tokenizer, self.stop, self.told = prompt, tokenizer, stop, told
        self.ids: list[int] = []
        self.written = ""
        self.ended = False
        self.length_told = 0
        told(prompt)

    def append(self, token: int) -> None:
        """Go on with a token, unless the text has ended."""
        if self.ended:
            return
        if token == self.tokenizer.separator:
            self.ended = True
            return
        self.ids.append(token)
        self.written = self.tokenizer.decode(self.ids)
        ends = [place for text in self.stop if (place := self.written.find(text)) >= 0]
        if ends:
            self.written, self.ended = self.written[: min(ends)], True
        self._tell(len(self.written) if self.ended else self._certain())

    def finish(self) -> str:
        """The whole text, of which all is told."""
        self._tell(len(self.written))
        return self.prompt + self.written

    def _certain(self) -> int:
        """Characters that no token changes any more: no half of one, nor the start of a stop string."""
        certain = len(self.written.rstrip("\ufffd"))
        for text in self.stop:
            starts = (n for n in range(len(text) - 1, 0, -1) if self.written.endswith(text[:n]))
            certain = min(certain, len(self.written) - next(starts, 0))
        return certain

    def _tell(self, length: int) -> None:
        if length > self.length_told:
            self.told(self.written[self.length_told : length])
            self.length_told = length
