"""Norm modules."""

from gpt_zoo.layers.norm.layer_norm import LayerNorm
from gpt_zoo.layers.norm.none import NoNorm
from gpt_zoo.layers.norm.rms_norm import RMSNorm

__all__ = ["LayerNorm", "NoNorm", "RMSNorm"]
