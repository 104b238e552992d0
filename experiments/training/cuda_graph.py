"""A step that is recorded once as a CUDA graph and replayed: one launch in place of hundreds from Python."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from experiments.training.recordable import recording_hindrance
from gpt_zoo.config.gpt import GPTConfig

WARM_UP = 3
"""Runs before recording, in which kernels are chosen and workspaces allocated."""


class GraphedStep:
    """The forward and the backward pass of batches of one shape, recorded and replayed.

    Source: "CUDA Graphs" in the notes on CUDA semantics of torch's documentation.

    Recording runs `run` a few times: gradients then hold what nobody asked for, and must be zeroed before the
    first call. The state of random numbers is put back; replays go on with it as plain steps do, since its
    position is an input of the graph.

    Args:
        run: Both passes of some windows, on whatever stream is the current one. It adds to the `.grad` of
            parameters, or zeroes and fills them, in place; asks the device for no value; and returns the
            loss, detached.
        example: Windows on the device, in the shape and type of all that will come.

    Raises:
        ValueError: there is no CUDA device, or `run` does what cannot be recorded.
    """

    def __init__(
        self,
        run: Callable[[Int[Tensor, "batch time_and_one"]], Float[Tensor, ""]],
        example: Int[Tensor, "batch time_and_one"],
    ) -> None:
        if example.device.type != "cuda":
            raise ValueError(
                f"a step is recorded on CUDA only, got {example.device.type}; set cuda_graphs: off"
            )
        self.windows = example.clone()
        self.graph = torch.cuda.CUDAGraph()
        random = torch.cuda.get_rng_state(example.device)
        _warm_up(run, self.windows)
        try:
            # Only this thread's: another one may be pinning memory for the batches to come.
            with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
                self.loss = run(self.windows)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise ValueError(
                f"this model's step cannot be recorded as a CUDA graph ({str(error).splitlines()[0]}); "
                "set cuda_graphs: off"
            ) from error
        torch.cuda.set_rng_state(random, example.device)

    def __call__(self, windows: Int[Tensor, "batch time_and_one"]) -> Float[Tensor, ""]:
        """The loss of `windows`, whose gradients are added.

        Raises:
            ValueError: they have another shape than what was recorded.
        """
        if windows.shape != self.windows.shape:
            recorded, got = (" x ".join(map(str, each.shape)) for each in (self.windows, windows))
            raise ValueError(f"a recorded step takes windows of {recorded}, got {got}; record another one")
        self.windows.copy_(windows, non_blocking=True)
        self.graph.replay()
        return self.loss.clone()  # the next replay overwrites its own


def require_recordable(config: GPTConfig) -> None:
    """Check that a step of the model can be recorded.

    Raises:
        ValueError: it cannot; the message says why.
    """
    if hindrance := recording_hindrance(config):
        raise ValueError(f"no CUDA graph can hold a step of this model: {hindrance}; set cuda_graphs: off")


def _warm_up(run: Callable[[Tensor], Tensor], windows: Tensor) -> None:
    """Run on a stream of its own, which recording requires of all that it will accumulate into."""
    stream = torch.cuda.Stream(windows.device)  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream(windows.device))
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            run(windows)
    torch.cuda.current_stream(windows.device).wait_stream(stream)
