"""What all who build optimizers go by."""

from torch import nn

HIDDEN = "blocks."
"""What the names of weights of layers begin with."""


def is_turned_by_muon(name: str, parameter: nn.Parameter) -> bool:
    """Only matrices can be; those of table and head gain nothing by it (Jordan et al. 2024)."""
    return name.startswith(HIDDEN) and parameter.ndim == 2


def has_fused_adamw(parameter: nn.Parameter) -> bool:
    """Whether one kernel steps AdamW there, which is 3 to 4 times as fast on a processor."""
    return parameter.device.type in ("cpu", "cuda")
