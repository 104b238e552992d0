"""What a comparison has found, as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any

from experiments.bench.contenders import OURS, Contender
from experiments.bench.rounds import Spread, round_ratios, spread
from experiments.bench.shapes import Shape
from gpt_zoo.cost.model import model_cost

LOSS_STEPS = 10
"""The last of the training, whose mean loss is told: that of one batch is mostly chance."""


@dataclass
class Found:
    """What is known of one contestant.

    Args:
        means: By which ours computes; empty for a peer.
        computes_in_float32: Whether its matrix products are in float32, or in bfloat16.
        tokens_per_second: By the number of the round.
        losses: Of all steps that were timed, in their order.
        failed: Why it did not get to the end.
    """

    contender: Contender
    means: str
    computes_in_float32: bool
    params: int | None = None
    warm_up_seconds: float | None = None
    tokens_per_second: dict[int, float] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    memory_bytes: int | None = None
    failed: str | None = None

    @property
    def rate(self) -> Spread | None:
        """Tokens a second over all rounds."""
        return spread(list(self.tokens_per_second.values()))

    @property
    def loss(self) -> float | None:
        """The mean of the last steps."""
        last = self.losses[-LOSS_STEPS:]
        return sum(last) / len(last) if last else None


@dataclass(frozen=True)
class Products:
    """FLOP/s of large matrix products, by the number of the round."""

    float32: dict[int, float] = field(default_factory=dict)
    bfloat16: dict[int, float] = field(default_factory=dict)

    def share(self, found: Found, flops_per_token: float) -> Spread | None:
        """Model FLOP/s of a contestant, as a share of products in its precision in the same round."""
        limit = self.float32 if found.computes_in_float32 else self.bfloat16
        rates = found.tokens_per_second
        return round_ratios({number: rate * flops_per_token for number, rate in rates.items()}, limit)


@dataclass(frozen=True)
class ShapeResult:
    """One shape.

    Args:
        found: Of all contestants, ours first.
        refused: Peers that cannot build the shape, with the reason.
    """

    shape: Shape
    steps: int
    found: list[Found]
    products: Products
    refused: dict[str, str]

    @property
    def flops_per_token(self) -> float:
        """Of training, attention in full: three forward passes."""
        time = self.shape.config.context_length
        return model_cost(self.shape.config).flops_train(time) / time

    def peers(self) -> list[str]:
        """The names of those that take part."""
        return list(dict.fromkeys(f.contender.library for f in self.found if not f.contender.is_ours))

    def fastest(self, library: str, in_float32: bool = False) -> Found | None:
        """The fastest setting of a library, or of those that compute in float32."""
        settings = [found for found in self.found if found.contender.library == library]
        return _fastest([found for found in settings if found.computes_in_float32 or not in_float32])

    def leanest_peer(self) -> Found | None:
        """The one with the least memory."""
        known = [f for f in self.found if not f.contender.is_ours and f.memory_bytes]
        return min(known, key=lambda found: found.memory_bytes or 0, default=None)

    def speed_over(self, found: Found, in_float32: bool = False) -> Spread | None:
        """How many times as fast as `found` our best is, or our best in float32, in the rounds of both."""
        ours = self.fastest(OURS, in_float32)
        return None if ours is None else round_ratios(ours.tokens_per_second, found.tokens_per_second)

    def memory_ratio(self, found: Found) -> float | None:
        """The memory of `found`, as a multiple of the leanest peer's."""
        leanest = self.leanest_peer()
        if leanest is None or not leanest.memory_bytes or found.memory_bytes is None:
            return None
        return found.memory_bytes / leanest.memory_bytes

    def to_data(self) -> dict[str, Any]:
        """Every number, for programs."""
        config = self.shape.config
        return {
            "shape": self.shape.name,
            "config": config.model_dump(mode="json", exclude_defaults=True),
            "batch_size": self.shape.batch_size,
            "steps_per_round": self.steps,
            "flops_train_per_token": self.flops_per_token,
            "products_flops_per_second": {
                "float32": list(self.products.float32.values()),
                "bfloat16": list(self.products.bfloat16.values()),
            },
            "contestants": [self._found_data(found) for found in self.found],
            "refused": self.refused,
        }

    def _found_data(self, found: Found) -> dict[str, Any]:
        told = {name: _data(getattr(self, ask)(found)) for name, ask in RATIOS.items()}
        return {
            "library": found.contender.library,
            "setting": found.contender.setting,
            "means": found.means,
            "params": found.params,
            "warm_up_seconds": found.warm_up_seconds,
            "tokens_per_second": _data(found.rate),
            "rounds": found.tokens_per_second,
            **told,
            "share_of_products": _data(self.products.share(found, self.flops_per_token)),
            "loss": found.loss,
            "memory_bytes": found.memory_bytes,
            "failed": found.failed,
        }


RATIOS = {"our_best_is_faster_by": "speed_over", "memory_over_leanest_peer": "memory_ratio"}


def _fastest(found: list[Found]) -> Found | None:
    timed = [(rate.median, index) for index, one in enumerate(found) if (rate := one.rate) is not None]
    return found[max(timed)[1]] if timed else None


def _data(value: Any) -> Any:
    return asdict(value) if isinstance(value, Spread) else value
