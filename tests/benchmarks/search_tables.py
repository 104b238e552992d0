"""Tables of architectures whose losses are known, on which searches are replayed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.search.cost_aware.features import build_features

Array = NDArray[np.float64]
LAYERS = 12


@dataclass(frozen=True)
class Table:
    """Architectures with what they cost and the loss that they reach.

    Args:
        name: For heads of tables.
        chosen: What was chosen for each, a column a choice; missing where there is nothing to choose.
        losses: In nats, (N,).
        costs: What the loss is held against, by name; all are compared in logarithms.
        train_flops: Of each training, (N,).
        features: As a search by known costs sees them, (N, d).
    """

    name: str
    chosen: pd.DataFrame
    losses: Array
    costs: dict[str, Array]
    train_flops: Array
    features: Array

    def is_asked(self, name: str, values: dict[str, float]) -> bool:
        """Whether there is something to choose, given what was chosen before: of a layer, if it is there."""
        if not name.startswith("layers["):
            return True
        return int(name[len("layers[") : name.index("]")]) < values["n_layer"]

    def scaled(self, cost: str) -> Array:
        """A cost in logarithms from 0 to 1, as one column."""
        logs = np.log(self.costs[cost])
        return ((logs - logs.min()) / np.ptp(logs))[:, None]


def read_hwgpt(path: Path) -> Table:
    """The 10,000 architectures of HW-GPT-Bench's space S, from one CSV file.

    A row an architecture: `embed_dim`, `n_layer`, heads and MLP ratio of each layer joined by `-`, `bias`,
    `perplexity`, `params`, `mem_MB_bf16_infer`, `lat_ms_a100` and MACs. Perplexities are those of a supernet
    with shared weights. As training FLOPs count three times those of a forward pass, attention included.

    Source: Sukthanker et al. 2024, "HW-GPT-Bench", arXiv:2405.10299.
    """
    table = pd.read_csv(path)
    chosen = table[["embed_dim", "n_layer", "bias"]].copy()
    for name, column in (("n_heads", "n_heads_per_layer"), ("mlp_ratio", "mlp_ratio_per_layer")):
        layers = table[column].str.split("-", expand=True).astype(float)
        for layer in range(LAYERS):
            chosen[f"layers[{layer}].{name}"] = layers[layer]
    macs = table["deepspeed_macs"] + table["attn_macs_not_counted_by_deepspeed"]
    known = pd.DataFrame({"params": table["params"], "flops_forward": 2 * macs})
    return Table(
        "HW-GPT-S",
        chosen,
        np.log(table["perplexity"].to_numpy(float)),
        {
            "params": table["params"].to_numpy(float),
            "memory": table["mem_MB_bf16_infer"].to_numpy(float),
            "A100 latency": table["lat_ms_a100"].to_numpy(float),
        },
        6 * macs.to_numpy(float),
        build_features(chosen, known),
    )


def read_exhaustive(path: Path) -> Table:
    """The 288 small GPTs that `exhaustive_table.py` trained one by one, from its folder of Parquet files.

    Losses are those of seed 0 at the learning rate of all. Of two options in words, `chosen` has the place in
    alphabetical order, so that architectures have distances.
    """
    table = pd.read_parquet(path / "trials.parquet")
    table = table[table["part"] == "architectures"].reset_index(drop=True)
    chosen = table.loc[:, "emb_dim":"position"]
    coded = {name: chosen[name].cat.codes for name in chosen.select_dtypes("category")}
    return Table(
        "exhaustive",
        chosen.assign(**coded),
        table["validation_loss"].to_numpy(float),
        {
            "params": table["params"].to_numpy(float),
            "train FLOPs": table["train_flops"].to_numpy(float),
            "predicted memory": table["predicted_memory_bytes"].to_numpy(float),
        },
        table["train_flops"].to_numpy(float),
        build_features(chosen, table),
    )
