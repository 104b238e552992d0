"""The memory of variants side by side: a column for each part, training and inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from experiments.costs.written import write_rows, write_table
from experiments.units import format_value, plural
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import Precision, TrainingStep, inference_memory, training_memory
from gpt_zoo.cost.parallel import SHARDINGS, Sharding, device_inference, device_training

TRAINING_HEADS = {
    "weights_bytes": "weights",
    "gathered_bytes": "gathered",
    "gradients_bytes": "gradients",
    "optimizer_bytes": "optimizer",
    "attention_bytes": "attention",
    "feed_forward_bytes": "feed-forward",
    "norm_bytes": "norms",
    "residual_bytes": "residual",
    "embedding_bytes": "embedding",
    "head_bytes": "logits, loss",
    "saved_bytes": "saved",
    "transient_bytes": "transient",
    "peak_bytes": "peak",
    "peak_moment": "reached in",
    "sent_bytes": "sent a step",
}
INFERENCE_HEADS = {
    "weights_bytes": "weights",
    "gathered_bytes": "gathered",
    "kv_cache_bytes": "KV cache",
    "activation_bytes": "activations",
    "logits_bytes": "logits",
    "peak_bytes": "peak",
}
SHARDING_LABELS: dict[Sharding, str] = {
    "replicated": "data parallel",
    "zero_1": "ZeRO-1",
    "zero_2": "ZeRO-2",
    "zero_3": "ZeRO-3, FSDP",
}
TRAINING_LEGEND = """\
Predicted, nothing is allocated. Columns from attention to the loss: what is saved for the backward pass, by
part. Gradients come as what was saved goes, so the peak is less than the sum of all; transient is what the
part of the step that reaches the peak needs beside what is named."""
INFERENCE_LEGEND = """\
Inference reads a prompt with a cache, up to the logits of the next token."""
DIVIDED_LEGEND = """\
On the fullest of {devices}, which divide the batch. Data parallel: all of the model on each. ZeRO-1 divides
the optimizer's state, ZeRO-2 gradients too, ZeRO-3 (FSDP) weights too, of which the largest layer and what is
outside of the layers are gathered for a while."""
SENT_LEGEND = "Sent: by each device in a step."


@dataclass(frozen=True)
class MemoryQuestion:
    """What the memory is asked for.

    Args:
        step: Of training; its batch is that of all devices together, and of inference too.
        bytes_per_value: Of inference.
        devices: Over which the batch is divided; None for one that is not spoken of.
    """

    step: TrainingStep
    bytes_per_value: int = 2
    devices: int | None = None

    @property
    def count(self) -> int:
        """Devices."""
        return 1 if self.devices is None else self.devices

    @property
    def shardings(self) -> Sequence[Sharding]:
        """What may be divided."""
        return SHARDINGS if self.devices is not None else ("replicated",)

    def setting(self) -> str:
        """How training and inference compute, in words."""
        step = self.step
        attention = "fused" if step.fused_attention else "written out"
        recomputed = ", layers computed again in the backward pass" if step.recompute else ""
        chunks = f", the loss in {step.loss_chunks} parts" if step.loss_chunks > 1 else ""
        return (
            f"Training in {step.precision} with {step.optimizer}, attention {attention}{recomputed}{chunks}; "
            f"inference in {self.bytes_per_value}-byte numbers; kernels of {step.device}."
        )

    def settings(self, config: GPTConfig) -> dict[str, Any]:
        """The same as data."""
        settings = asdict(self.step)
        settings["context_length"] = self.step.context_length or config.context_length
        settings["kernels"] = settings.pop("device")
        return {**settings, "inference_bytes_per_value": self.bytes_per_value}


def find_precision(name: str) -> Precision:
    """The precision of a training that is called `name`.

    Raises:
        ValueError: there is none.
    """
    found: Precision | None = next((one for one in get_args(Precision) if one == name), None)
    if found is None:
        raise ValueError(f"no precision is called `{name}`; {did_you_mean(name, get_args(Precision))}")
    return found


def memory_rows(configs: Mapping[str, GPTConfig], question: MemoryQuestion) -> list[dict[str, Any]]:
    """A row for each variant, and sharding if devices are asked for: all numbers, exact.

    Raises:
        ValueError: as for `training_memory` and `device_training`.
    """
    rows = []
    for name, config in configs.items():
        for sharding in question.shardings:
            training, inference = _memory(config, question, sharding)
            settings = question.settings(config)
            if question.devices is not None:
                settings |= {"devices": question.devices, "sharding": sharding}
                settings |= {"device_batch_size": training["batch_size"]}
            row = {"variant": name, **settings}
            row |= {f"training_{key}": training[key] for key in TRAINING_HEADS if key in training}
            row |= {f"inference_{key}": inference[key] for key in INFERENCE_HEADS if key in inference}
            rows.append(row)
    return rows


def _memory(
    config: GPTConfig, question: MemoryQuestion, sharding: Sharding
) -> tuple[dict[str, Any], dict[str, Any]]:
    step, size, devices = question.step, question.bytes_per_value, question.devices
    if devices is None:
        training, inference = (
            training_memory(config, step),
            inference_memory(config, step.batch_size, step.context_length, size),
        )
        cache = inference.kv_cache_bytes + inference.kv_cache_reserve_bytes
        return vars(training), {**vars(inference), "kv_cache_bytes": cache}
    return (
        vars(device_training(config, step, devices, sharding)),
        vars(device_inference(config, devices, sharding, step.batch_size, step.context_length, size)),
    )


def render_memory(configs: Mapping[str, GPTConfig], question: MemoryQuestion, output: str) -> str:
    """The memory by name of the variant, as text that ends with a line break.

    Args:
        output: `table`, `markdown`, `json` (a list of objects with exact integers) or `csv` (the same).
    """
    rows = memory_rows(configs, question)
    if output in ("json", "csv"):
        return write_rows(rows, output)
    # Inference keeps neither gradients nor state: these two divide nothing of it but the batch.
    inferred = [row for row in rows if row.get("sharding") not in ("zero_1", "zero_2")]
    sequences = f"{plural(question.step.batch_size, 'sequence')} of {_lengths(rows)}"
    legends = [TRAINING_LEGEND, INFERENCE_LEGEND]
    if question.devices is not None:
        legends.append(DIVIDED_LEGEND.format(devices=plural(question.devices, "device")) + " " + SENT_LEGEND)
    parts = [
        f"Training: a step of {sequences}.",
        _table(rows, "training_", TRAINING_HEADS, output),
        f"Inference: {sequences}.",
        _table(inferred, "inference_", INFERENCE_HEADS, output),
        "\n".join([question.setting(), *legends]),
    ]
    return "\n\n".join(parts) + "\n"


def _lengths(rows: Sequence[Mapping[str, Any]]) -> str:
    lengths = sorted({row["context_length"] for row in rows})
    return f"{lengths[0]:,} tokens" if len(lengths) == 1 else "as many tokens as fill each context"


def _table(rows: Sequence[Mapping[str, Any]], prefix: str, heads: Mapping[str, str], output: str) -> str:
    shown = {prefix + key: head for key, head in heads.items() if any(row.get(prefix + key) for row in rows)}
    several = len({row["context_length"] for row in rows}) > 1
    first = ["variant", *(["context"] if several else []), *(["divided"] if "sharding" in rows[0] else [])]
    cells = []
    for row in rows:
        told = {"variant": row["variant"], "context": f"{row['context_length']:,}"}
        told["divided"] = SHARDING_LABELS.get(row.get("sharding", ""), "")
        cells.append(
            [*(told[name] for name in first), *(format_value(key, row[key], trim=True) for key in shown)]
        )
    align = ["right" if name == "context" else "left" for name in first]
    align += ["left" if key.endswith("_moment") else "right" for key in shown]
    return write_table(cells, [*first, *shown.values()], align, output)
