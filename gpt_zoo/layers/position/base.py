"""What positions that act in attention share."""

from collections.abc import Hashable
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn


class AttentionPosition(nn.Module):
    """A position that acts on queries and keys, on their scores, or on both: override what it does."""

    @property
    def key(self) -> Hashable:
        """What the turns and biases depend on, beside the positions: layers with equal keys share them."""
        return id(self)

    @property
    def biases(self) -> bool:
        """Whether it adds to the scores; else a causal kernel needs no mask."""
        return type(self).bias is not AttentionPosition.bias

    def prepare(self, positions: Int[Tensor, "#batch time"]) -> Any:
        """What `turn` needs to know of the positions, computed once for all layers that share it."""
        return positions

    def turn(
        self, x: Float[Tensor, "batch heads time head_dim"], prepared: Any
    ) -> Float[Tensor, "batch heads time head_dim"]:
        """Queries or keys, turned as `prepare` says."""
        return x

    def bias(
        self, query_positions: Int[Tensor, "batch time"], key_positions: Int[Tensor, "batch keys"]
    ) -> Float[Tensor, "batch heads time keys"] | None:
        """What is added to the scores, or None."""
        return None
