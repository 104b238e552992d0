"""What multi-head attention and its kinds with fewer key/value heads share: heads and their projections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import PositiveFloat, PositiveInt

from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.component import BrokenRule, Macs, linear_params

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class HeadsAttentionConfig(SoftmaxAttentionConfig):
    """Softmax attention of H query heads over K key/value heads of size d."""

    head_dim: PositiveInt | None = None
    """d, the size of a head; None for emb_dim / n_heads."""
    query_bias: bool | None = None
    """Whether the query projection has a bias; None for the model's `qkv_bias`."""
    key_bias: bool | None = None
    """The same for the keys."""
    value_bias: bool | None = None
    """The same for the values."""
    qk_norm: Literal["head", "width"] | None = None
    """A norm of the layer's kind on queries and keys, before they are turned: on each head (Henry et al.
    2020, arXiv:2010.04245; Dehghani et al. 2023, arXiv:2302.05442) or on all heads at once (OLMo Team 2024,
    "2 OLMo 2 Furious", arXiv:2501.00656)."""
    clip: PositiveFloat | None = None
    """Bound of the projected queries, keys and values. MosaicML 2023, MPT-30B; Groeneveld et al. 2024,
    "OLMo", arXiv:2402.00838."""
    value_residual: bool = False
    """Whether the values are a learned mix of the layer's own and those of the first such layer. Zhou et al.
    2024, "Value Residual Learning", arXiv:2410.17897."""

    def key_value_heads(self, model: GPTConfig) -> int:
        """K, the number of key/value heads."""
        raise NotImplementedError

    def query_dim(self, model: GPTConfig) -> int:
        """d, the size of a head."""
        return self.head_dim or model.emb_dim // model.n_heads

    def biases(self, model: GPTConfig) -> tuple[bool, bool, bool]:
        """Whether the projections of queries, keys and values have a bias."""
        query, key, value = (
            model.qkv_bias if own is None else own
            for own in (self.query_bias, self.key_bias, self.value_bias)
        )
        return query, key, value

    def widths(self, model: GPTConfig) -> tuple[int, int]:
        """H·d and K·d: numbers of a token's queries, and of its keys or values."""
        head_dim = self.query_dim(model)
        return model.n_heads * head_dim, self.key_value_heads(model) * head_dim

    def params(self, model: GPTConfig) -> int:
        """D·d·(2H + 2K) weights, the biases, the norms of queries and keys, H sinks, 2 to mix values."""
        queries, keys = self.widths(model)
        query_bias, key_bias, value_bias = self.biases(model)
        projections = (
            linear_params(model.emb_dim, queries, query_bias)
            + linear_params(model.emb_dim, keys, key_bias)
            + linear_params(model.emb_dim, keys, value_bias)
            + linear_params(queries, model.emb_dim, self.out_bias)
        )
        sinks = model.n_heads if self.sinks else 0
        return projections + self._norm_params(model) + sinks + (2 if self.value_residual else 0)

    def _norm_params(self, model: GPTConfig) -> int:
        if self.qk_norm is None:
            return 0
        if self.qk_norm == "head":
            return 2 * model.norm.params(self.query_dim(model))
        return sum(model.norm.params(width) for width in self.widths(model))

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """T·D·d·(2H + 2K) for the projections; H·d for each pair's score, and again for its value."""
        queries, keys = self.widths(model)
        linear = time * model.emb_dim * (2 * queries + 2 * keys)
        return Macs(linear, *(2 * queries * pairs for pairs in self.pairs(time)))

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Three projections, what becomes of them, the mix of values, and its projection."""
        width, (queries, keys) = model.emb_dim, self.widths(model)
        query_bias, key_bias, value_bias = self.biases(model)
        query = self._trace_heads(tape, model, tape.linear(x, width, queries, query_bias), queries)
        key = self._trace_heads(tape, model, tape.linear(x, width, keys, key_bias), keys)
        value = tape.linear(x, width, keys, value_bias)
        if self.clip is not None:
            value = tape.clamp(value)
        if self.value_residual:
            value = self._trace_value_mix(tape, value)
        query, key = (
            model.position.trace_turn(tape, model, query),
            model.position.trace_turn(tape, model, key),
        )
        tape.free(key, value)  # they are in the cache, if nothing is learned
        mixed = self.trace_mix(tape, model, query, key, value)
        return tape.linear(mixed, queries, width, self.out_bias)

    def _trace_heads(self, tape: Tape, model: GPTConfig, x: Made, numbers: int) -> Made:
        """Projected queries or keys, bounded and normalised."""
        if self.clip is not None:
            x = tape.clamp(x)
        if self.qk_norm is None:
            return x
        return model.norm.trace(tape, self.query_dim(model) if self.qk_norm == "head" else numbers, x)

    def _trace_value_mix(self, tape: Tape, value: Made) -> Made:
        """A product for the layer's own values, and one for those of the first such layer, which that layer
        has kept."""
        own = tape.make(value.numbers, value.size, value, keeps=(value,), weights=2)
        return tape.add(own, tape.make(value.numbers, value.size, value))

    def position_dim(self, model: GPTConfig) -> int:
        """d: the whole head may be turned."""
        return self.query_dim(model)

    def shared_values(self, model: GPTConfig) -> tuple[int, int] | None:
        """K and d, with a value residual."""
        return (self.key_value_heads(model), self.query_dim(model)) if self.value_residual else None

    def cache_values_per_token(self, model: GPTConfig) -> int:
        """A key and a value for each of their heads: 2·K·d."""
        return 2 * self.widths(model)[1]

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """The width must be cut into equal heads, unless their size is given; a norm must be one."""
        yield from super().broken_rules(model)
        if self.qk_norm is not None and model.norm.kind == "none":
            yield BrokenRule(
                ("attention", "qk_norm"),
                f"queries and keys take the layer's norm, got qk_norm {self.qk_norm} with norm none; try "
                "qk_norm null, or norm: {kind: rms_norm}",
            )
        if self.head_dim is None and model.emb_dim % model.n_heads:
            below = model.emb_dim // model.n_heads * model.n_heads
            widths = [str(width) for width in (below, below + model.n_heads) if width]
            yield BrokenRule(
                ("n_heads",),
                f"`emb_dim` must be a multiple of `n_heads`, got {model.emb_dim} and {model.n_heads}; "
                f"try n_heads {' or '.join(near_divisors(model.emb_dim, model.n_heads))}, or give "
                "attention.head_dim",
                for_all=f", or emb_dim {' or '.join(widths)}",
            )


def near_divisors(number: int, wanted: int) -> list[str]:
    """The divisors of `number` next to `wanted`, below and above, as text."""
    reach = 10_000  # enough for any sensible width; a mistyped one must not stall the error
    start = min(wanted, number)
    below = next((n for n in range(start, max(0, start - reach), -1) if number % n == 0), 1)
    above = next((n for n in range(start + 1, min(number, start + reach) + 1) if number % n == 0), None)
    return [str(n) for n in (below, above) if n is not None]
