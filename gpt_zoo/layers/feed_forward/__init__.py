"""Feed-forward modules."""

from gpt_zoo.layers.feed_forward.activation import GELU, Activation
from gpt_zoo.layers.feed_forward.gated import GatedFeedForward
from gpt_zoo.layers.feed_forward.mixture_of_experts import MixtureOfExperts
from gpt_zoo.layers.feed_forward.plain import FeedForward

__all__ = ["GELU", "Activation", "FeedForward", "GatedFeedForward", "MixtureOfExperts"]
