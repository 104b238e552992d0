"""Position modules."""

from gpt_zoo.layers.position.alibi import AlibiPosition
from gpt_zoo.layers.position.base import AttentionPosition
from gpt_zoo.layers.position.learned import LearnedPosition
from gpt_zoo.layers.position.rotary import RotaryPosition
from gpt_zoo.layers.position.sinusoidal import SinusoidalPosition

__all__ = [
    "AlibiPosition",
    "AttentionPosition",
    "LearnedPosition",
    "RotaryPosition",
    "SinusoidalPosition",
]
