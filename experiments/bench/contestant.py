"""The process of one contestant: builds once, then trains as many steps as each request asks for.

The first argument says what it is, as JSON; then both sides speak JSON, one object a line:

    from the contestant  {"ready": {...}}, once it is warm
    to the contestant    {"steps": 25}
    from the contestant  {"turn": {...}}; or {"failed": reason} at any time, and then nothing more

`{"library": "products"}` trains nothing: its turns are the rates of large matrix products.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from experiments.bench.process import PRODUCTS
from experiments.data.batches import TrainBatches
from experiments.data.tokens import open_tokens
from experiments.failures import first_line
from experiments.training.memory import MemoryMeter
from gpt_zoo.config.gpt import GPTConfig

WARM_UP = 3
"""Steps which allocate, compile, and fill the optimizer's state."""
SEED = 0
"""Of the order of the text, which is the same for all."""


class Contestant:
    """A trainer with its text and its memory meter."""

    def __init__(self, asked: dict[str, Any]) -> None:
        import torch._dynamo  # is loaded by torch's optimizers anyway, and belongs to the libraries

        if "compile" in asked["setting"]:
            import torch._inductor.compile_fx

        from experiments.bench.trainers import build_trainer

        self.device = torch.device(asked["device"])
        config = GPTConfig.model_validate(asked["config"])
        tokens = open_tokens(Path(asked["tokens"])).train
        self.batches = TrainBatches(tokens, config.context_length, SEED)
        self.batch_size: int = asked["batch_size"]
        self.meter = MemoryMeter(self.device)
        torch.manual_seed(SEED)
        start = time.perf_counter()
        self.trainer = build_trainer(asked, config)
        self.losses: list[float] = []
        self.train(WARM_UP)
        self.warm_up_seconds = time.perf_counter() - start

    def train(self, steps: int) -> float:
        """Seconds of so many steps. Batches are made beforehand: how text is read is no part of it."""
        size, seen = self.batch_size, len(self.losses)
        batches = [
            torch.from_numpy(self.batches.windows(index * size, size).astype(np.int64)).to(self.device)
            for index in range(seen, seen + steps)
        ]
        start = time.perf_counter()
        for windows in batches:
            self.losses.append(self.trainer.step(windows))
        return time.perf_counter() - start

    def introduce(self) -> dict[str, Any]:
        """What is known once it is warm."""
        return {
            "params": sum(parameter.numel() for parameter in self.trainer.model.parameters()),
            "warm_up_seconds": self.warm_up_seconds,
        }

    def turn(self, steps: int) -> dict[str, Any]:
        """Train, and tell how it went."""
        seconds = self.train(steps)
        return {
            "seconds": seconds,
            "losses": self.losses[-steps:],
            "memory_bytes": self.meter.peak().memory_bytes,
        }


class Products:
    """Large matrix products, which bound what any training reaches."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.device: str = asked["device"]

    def introduce(self) -> dict[str, Any]:
        """Nothing is known beforehand."""
        return {}

    def turn(self, steps: int) -> dict[str, Any]:
        """Measure both rates, however many steps are asked for."""
        from gpt_zoo.measure.machine import measure_product_rate

        return {
            "float32_flops_per_second": measure_product_rate(self.device, torch.float32),
            "bfloat16_flops_per_second": measure_product_rate(self.device, torch.bfloat16),
        }


def serve(asked: dict[str, Any], requests: IO[str], pipe: IO[str]) -> None:
    """Answer requests until no more come; a failure is the last answer."""

    def say(message: dict[str, Any]) -> None:
        pipe.write(json.dumps(message) + "\n")
        pipe.flush()

    try:
        contestant = Products(asked) if asked["library"] == PRODUCTS else Contestant(asked)
        say({"ready": contestant.introduce()})
        for line in requests:
            say({"turn": contestant.turn(json.loads(line)["steps"])})
    except Exception as error:
        traceback.print_exc()
        say({"failed": first_line(error)})


def main() -> None:
    """Serve the process that started this one."""
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not garble the protocol
    asked = json.loads(sys.argv[1])
    torch.set_num_threads(asked["threads"])
    serve(asked, sys.stdin, pipe)


if __name__ == "__main__":
    main()
