"""What positions that act in attention share."""

from jaxtyping import Float, Int
from torch import Tensor, nn


class AttentionPosition(nn.Module):
    """A position that acts on queries and keys, on their scores, or on both: override what it does."""

    def turn(
        self, x: Float[Tensor, "batch heads time head_dim"], positions: Int[Tensor, "#batch time"]
    ) -> Float[Tensor, "batch heads time head_dim"]:
        """Queries or keys at `positions`, turned."""
        return x

    def bias(
        self, query_positions: Int[Tensor, "batch time"], key_positions: Int[Tensor, "batch keys"]
    ) -> Float[Tensor, "batch heads time keys"] | None:
        """What is added to the scores, or None."""
        return None
