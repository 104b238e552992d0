"""What this machine reaches: FLOP/s of large matrix products, bytes a second of its memory."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch

REPEATS = 7
LEAST_SECONDS = 0.05
"""A product or a copy that takes less says more about what is around it."""
ARRAY_BYTES = 2**28
"""Of each array: beyond any cache."""
LARGEST_PRODUCT = 16384


@dataclass(frozen=True)
class Peaks:
    """What a device reaches, medians of several runs.

    Args:
        float32_flops_per_second: Of a square matrix product.
        bfloat16_flops_per_second: The same.
        bandwidth_bytes_per_second: The best of reading, copying and a triad, each byte that is read or
            written counted once, as McCalpin's STREAM (1995) does.
    """

    float32_flops_per_second: float
    bfloat16_flops_per_second: float
    bandwidth_bytes_per_second: float


def usable_devices() -> Iterator[str]:
    """What torch can compute on here, the fastest first."""
    if torch.cuda.is_available():
        yield "cuda"
    if torch.backends.mps.is_available():
        yield "mps"
    yield "cpu"


def synchronize(device: str) -> None:
    """Wait until the device has done what it was asked for."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def measure_peaks(device: str, tell: Callable[[str], None] = lambda note: None) -> Peaks:
    """Measure `device`, as torch calls it, with the threads that torch now has.

    Args:
        tell: Hears what is being measured.
    """
    flops = {}
    for dtype in (torch.float32, torch.bfloat16):
        tell(f"{device}: {str(dtype).removeprefix('torch.')} products")
        flops[dtype] = measure_product_rate(device, dtype)
    tell(f"{device}: memory")
    return Peaks(flops[torch.float32], flops[torch.bfloat16], _bandwidth(device))


def measure_product_rate(device: str, dtype: torch.dtype) -> float:
    """FLOP/s of a product that is large enough to take a while."""
    size = 256
    while True:
        matrix = torch.randn(size, size, device=device).to(dtype)
        product = partial(torch.mm, matrix, matrix, out=torch.empty_like(matrix))
        if median_seconds(product, device, 1) >= LEAST_SECONDS or size >= LARGEST_PRODUCT:
            return 2 * size**3 / median_seconds(product, device, REPEATS)
        size *= 2


def _bandwidth(device: str) -> float:
    source, other = (torch.ones(ARRAY_BYTES // 4, device=device) for _ in range(2))
    target = torch.empty_like(source)
    runs: list[tuple[int, Callable[[], object]]] = [
        (1, source.sum),
        (2, lambda: target.copy_(source)),
        (3, lambda: torch.add(source, other, alpha=3.0, out=target)),
    ]
    return max(arrays * ARRAY_BYTES / median_seconds(run, device, REPEATS) for arrays, run in runs)


def median_seconds(run: Callable[[], object], device: str, repeats: int) -> float:
    """Of so many runs, after one that warms up."""
    run()
    seconds = []
    for _ in range(repeats):
        synchronize(device)
        start = time.perf_counter()
        run()
        synchronize(device)
        seconds.append(time.perf_counter() - start)
    return median(seconds)
