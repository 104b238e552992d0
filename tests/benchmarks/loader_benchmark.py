"""What share of a training step is spent waiting for its batch, beside a plain way to load one.

    python tests/benchmarks/loader_benchmark.py [--threads 2] [--gibibytes 1] [--out loader.md]

Windows of real text, the source of the standard library in bytes. Warm is that file as a training mostly
finds it, in memory. Cold is the same text, repeated to a file of which nothing is in memory when the steps
begin, as if it were too large for that. The plain way takes a slice of the mapped file for each window, at
random, once for the inputs and once for the targets, as nanoGPT does. A share is the mean of all loads, for a
few of a cold file are much slower than others, beside the median of all steps.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tabulate
import torch

from experiments.data.batches import TrainBatches
from experiments.data.config import DataConfig
from experiments.data.prefetch import BatchLoader
from experiments.data.tokens import load_tokens
from experiments.training.config import TrainingConfig
from experiments.training.device import find_device
from experiments.training.engine import Engine
from gpt_zoo.config.gpt import GPTConfig

SHAPES = {
    "tiny": ((256, 128, 128, 4, 4), 16, 40),
    "small": ((256, 256, 384, 6, 6), 8, 12),
    "124m": ((50257, 1024, 768, 12, 12), 1, 2),
}
"""Vocabulary, context, width, heads and layers; sequences of a batch; steps that are timed."""
WARM_UP = 1

Load = Callable[[int, int], torch.Tensor]


def build_engine(shape: tuple[int, ...], precision: str, device: torch.device) -> Engine:
    """What computes the steps."""
    names = ("vocab_size", "context_length", "emb_dim", "n_heads", "n_layers")
    config = GPTConfig.model_validate(
        dict(zip(names, shape, strict=True)) | {"drop_rate": 0, "qkv_bias": True}
    )
    settled = {"attention_backend": "written_out", "compile": "off", "loss_chunks": 1, "cuda_graphs": "off"}
    return Engine(config, TrainingConfig.model_validate({"precision": precision, **settled}), device)


def load_ours(path: Path, context: int, device: torch.device) -> Load:
    """What trainings of gpt-zoo load with."""
    return BatchLoader(TrainBatches(np.memmap(path, "<u2", "r"), context, seed=0), device).load


def load_slices(path: Path, context: int, device: torch.device) -> Load:
    """The plain way."""
    tokens, random = np.memmap(path, "<u2", "r"), np.random.default_rng(0)

    def load(first: int, count: int) -> torch.Tensor:
        starts = random.integers(0, len(tokens) - context, count)
        inputs, targets = (
            torch.stack([torch.from_numpy(tokens[s + k : s + k + context].astype(np.int64)) for s in starts])
            for k in (0, 1)
        )
        return torch.cat((inputs, targets[:, -1:]), dim=1).to(device)

    return load


def write_long_text(path: Path, text: np.ndarray, size_bytes: int) -> None:
    """Repeat a text to a file of at least so many bytes."""
    with path.open("wb") as file:
        while file.tell() < size_bytes:
            text.tofile(file)
        file.flush()
        os.fsync(file.fileno())


def forget(path: Path) -> None:
    """Have the kernel keep nothing of a file in memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds_of(load: Load, engine: Engine, batch: int, steps: int) -> tuple[list[float], list[float]]:
    """Of each load, and of each step with what it has loaded."""
    loads, learns = [], []
    for step in range(WARM_UP + steps):
        start = time.perf_counter()
        windows = load(step * batch, batch)
        loaded = time.perf_counter()
        engine.step([windows], 1.0)
        loads.append(loaded - start)
        learns.append(time.perf_counter() - loaded)
    return loads[WARM_UP:], learns[WARM_UP:]


def run(shape: str, files: dict[str, Path], precision: str, device: torch.device) -> list[list[str]]:
    """Rows of one shape, each with what it shows in ms and as a share of the step."""
    sizes, batch, steps = SHAPES[shape]
    torch.manual_seed(0)
    engine = build_engine(sizes, precision, device)
    waits, learns = {}, []
    for way, build in {"gpt-zoo": load_ours, "slices": load_slices}.items():
        for state, path in files.items():
            if state == "cold":
                forget(path)
            waits[way, state], learnt = seconds_of(build(path, sizes[1], device), engine, batch, steps)
            learns += learnt
    step = float(np.median(learns))
    rows = []
    for (way, state), loads in waits.items():
        wait = float(np.mean(loads))
        share = 100 * wait / (wait + step)
        times = [
            f"{1000 * step:.0f}",
            f"{1000 * np.median(loads):.3f}",
            f"{1000 * wait:.3f}",
            f"{share:.3f} %",
        ]
        rows.append([shape, f"{batch} x {sizes[1]}", way, state, *times, "yes" if share < 1 else "no"])
    return rows


def main() -> None:
    """Measure, print the table, write it if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--gibibytes", type=float, default=1, help="of the cold file")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--precision", default="bfloat16_master")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device, text = find_device(options.device), load_tokens(DataConfig())
    with tempfile.TemporaryDirectory(dir=text.folder.parent) as folder:
        files = {"warm": text.folder / "train.bin", "cold": Path(folder) / "cold.bin"}
        write_long_text(files["cold"], text.train, int(options.gibibytes * 2**30))
        rows = []
        for shape in options.shapes:
            rows += run(shape, files, options.precision, device)
            print(*rows[-4:], sep="\n", flush=True)
    heads = ["", "batch", "loaded by", "file", "step ms", "load ms", "mean ms", "share", "below 1 %"]
    table = tabulate.tabulate(rows, heads, "github", disable_numparse=True)
    told = (
        f"Steps in {options.precision} on {device} ({options.threads} threads, {platform.machine()}, torch "
        f"{torch.__version__}); others at work on the machine too; cold is a file of {options.gibibytes:g} "
        f"GiB. A step is the median over all ways of its shape, a load the median and the mean; the share is "
        f"of the mean.\n\n{table}\n"
    )
    print(told)
    if options.out:
        options.out.write_text(f"# Loading\n\n`python tests/benchmarks/loader_benchmark.py`\n\n{told}")


if __name__ == "__main__":
    main()
