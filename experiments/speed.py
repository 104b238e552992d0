"""How fast a training was: FLOP/s beside what its device reaches, and where the time went."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.doctor import load_tuning
from experiments.record import PHASES
from registry.devices import find_device

if TYPE_CHECKING:
    from gpt_zoo.cost.roofline import Device

# What CUDA calls the devices of registry/devices.yaml. The whole name must be the same: `NVIDIA H100 NVL`,
# `NVIDIA GeForce RTX 4090 D` and a MIG slice `NVIDIA H100 80GB HBM3 MIG 1g.10gb` have other peaks.
CUDA_NAMES = {
    "NVIDIA H100 80GB HBM3": "h100",
    "NVIDIA H100 PCIe": "h100-pcie",
    "NVIDIA H200": "h200",
    "NVIDIA A100-SXM4-80GB": "a100",
    "NVIDIA A100-SXM4-40GB": "a100-40gb",
    "NVIDIA L4": "l4",
    "NVIDIA GeForce RTX 4090": "rtx-4090",
}


def describe_speed(
    train_flops: int,
    seconds: float,
    clock_seconds: Mapping[str, float],
    loop_seconds: float,
    precision: str,
    device: str,
    device_name: str,
    threads: int,
) -> dict[str, Any]:
    """The fields of a trial record that tell its speed, against what is known of its device.

    Args:
        train_flops: Of all steps, by the closed form.
        seconds: That these steps took.
        clock_seconds: Of each of `PHASES`; one that was not clocked has no share.
        loop_seconds: From the start of the training loop to its end, in which the phases were clocked.
        precision: As in the declaration of the training, settled.
        device: cpu, cuda or mps.
        device_name: What CUDA calls it; empty on a CPU.
        threads: Of the processor, that torch computed with.
    """
    peaks, published = load_tuning(device, threads), find_published(device_name)
    return speed_fields(train_flops, seconds, clock_seconds, loop_seconds, precision, peaks, published)


def speed_fields(
    train_flops: int,
    seconds: float,
    clock_seconds: Mapping[str, float],
    loop_seconds: float,
    precision: str,
    peaks: "Device | None",
    published: "Device | None",
) -> dict[str, Any]:
    """The same against given devices: `peaks` as measured here, `published` as its maker tells.

    MFU is Chowdhery et al. 2022, "PaLM", appendix B, arXiv:2204.02311: work that is done twice, such as a
    recomputed forward pass, does not count. FLOPs are those of `TrialRecord.train_flops`, attention in full.
    """
    rate = train_flops / seconds if seconds else None
    peak, limit = _peak(peaks, precision), _peak(published, precision)
    shares = {
        f"{phase}_share": clock_seconds[phase] / loop_seconds
        if phase in clock_seconds and loop_seconds
        else None
        for phase in PHASES
    }
    return {
        "model_flops_per_second": rate,
        "peak_flops_per_second": peak,
        "mfu": rate / peak if rate and peak else None,
        "mfu_published": rate / limit if rate and limit else None,
        **shares,
    }


def find_published(device_name: str) -> "Device | None":
    """What its maker publishes of the device that CUDA calls so; None if it is not in the table."""
    name = CUDA_NAMES.get(device_name)
    return None if name is None else find_device(name)


def _peak(device: "Device | None", precision: str) -> float | None:
    """Of its products: all precisions but float32 multiply in bfloat16."""
    if device is None:
        return None
    return device.flops_per_second("float32" if precision == "float32" else "bfloat16")
