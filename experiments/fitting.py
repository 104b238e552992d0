"""A variant as an experiment trains it."""

from typing import Any

from gpt_zoo.config.gpt import GPTConfig


def fit_to_experiment(config: GPTConfig, vocab_size: int, drop_rate: float | None) -> GPTConfig:
    """The config as it is trained: the tokenizer decides the vocabulary, the experiment may the dropout."""
    changes: dict[str, Any] = {"vocab_size": vocab_size}
    if drop_rate is not None:
        changes["drop_rate"] = drop_rate
        for overrides in ("layers", "single_layers"):
            changes[overrides] = [
                {key: value for key, value in layer.items() if key != "drop_rate"}
                for layer in getattr(config, overrides)
            ]
    return GPTConfig.model_validate({**config.model_dump(), **changes})
