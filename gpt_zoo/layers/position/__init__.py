"""Position modules."""

from gpt_zoo.layers.position.learned import LearnedPosition
from gpt_zoo.layers.position.rotary import RotaryPosition
from gpt_zoo.layers.position.sinusoidal import SinusoidalPosition

__all__ = ["LearnedPosition", "RotaryPosition", "SinusoidalPosition"]
