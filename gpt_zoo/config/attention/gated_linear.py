"""Gated linear attention, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt

from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.attention.heads import near_divisors
from gpt_zoo.config.component import BrokenRule, Macs, linear_params
from gpt_zoo.config.position.base import AttentionPositionConfig
from gpt_zoo.config.tape import FLOAT32

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class GatedLinearAttentionConfig(AttentionConfig):
    """Linear-time attention: each head keeps a k x v matrix, which fades by gates that depend on the
    token."""

    kind: Literal["gated_linear"] = "gated_linear"
    module: ClassVar[str] = "gpt_zoo.layers.attention:GatedLinearAttention"
    source: ClassVar[str] = (
        'Yang et al. 2023, "Gated Linear Attention Transformers with Hardware-Efficient Training", '
        "arXiv:2312.06635"
    )
    chunk: ClassVar[int] = 16
    """C, tokens whose pairs are multiplied out; from chunk to chunk only the matrix is passed on."""

    key_head_dim: PositiveInt | None = None
    """k, the size of a query or key; None for emb_dim / n_heads."""
    value_head_dim: PositiveInt | None = None
    """v, the size of a value; None for emb_dim / n_heads."""
    gate_rank: PositiveInt = 16
    """r, the rank of the map from a token to its gates."""
    out_bias: bool = False

    def head_dims(self, model: GPTConfig) -> tuple[int, int]:
        """k and v."""
        usual = model.emb_dim // model.n_heads
        return self.key_head_dim or usual, self.value_head_dim or usual

    def params(self, model: GPTConfig) -> int:
        """D·H·(2k + 3v) weights, the gates' D·r + r·H·k and H·k biases, one norm of v, the biases."""
        key_dim, value_dim = self.head_dims(model)
        keys, values = model.n_heads * key_dim, model.n_heads * value_dim
        return (
            2 * linear_params(model.emb_dim, keys, model.qkv_bias)
            + linear_params(model.emb_dim, values, model.qkv_bias)
            + linear_params(model.emb_dim, values, bias=False)
            + linear_params(model.emb_dim, self.gate_rank, bias=False)
            + linear_params(self.gate_rank, keys, bias=True)
            + model.norm.params(value_dim)
            + linear_params(values, model.emb_dim, self.out_bias)
        )

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """One a weight and token; within a chunk k + v a head and pair; between chunks 2·k·v a head and
        token.

        The first chunk reads no earlier matrix, and the last one leaves none behind.
        """
        key_dim, value_dim = self.head_dims(model)
        keys, values = model.n_heads * key_dim, model.n_heads * value_dim
        weights = model.emb_dim * (2 * keys + 3 * values + self.gate_rank) + self.gate_rank * keys
        full, rest = divmod(time, self.chunk)
        lengths = [self.chunk] * full + [rest] * bool(rest)
        passed = (time - lengths[0]) + (time - lengths[-1])
        state = passed * model.n_heads * key_dim * value_dim
        return Macs(
            linear=time * weights,
            attention=(keys + values) * sum(length**2 for length in lengths) + state,
            attention_causal=(keys + values) * sum(n * (n + 1) // 2 for n in lengths) + state,
        )

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Projections and gates, the scan over chunks in float32, a norm of each head and an output gate."""
        width, (key_dim, value_dim) = model.emb_dim, self.head_dims(model)
        keys, values = model.n_heads * key_dim, model.n_heads * value_dim
        query = tape.linear(x, width, keys, model.qkv_bias)
        key = tape.linear(x, width, keys, model.qkv_bias)
        value = tape.linear(x, width, values, model.qkv_bias)
        ranks = tape.linear(x, width, self.gate_rank)
        gates = tape.linear(ranks, self.gate_rank, keys, bias=True)
        logarithms = tape.make(gates.numbers, gates.size, gates, keeps=(gates, gates.numbers * gates.size))
        tape.free(ranks, gates)
        unbound = tape.scale(logarithms)
        gates = tape.clamp(unbound)
        tape.free(unbound)
        mixed = self._trace_scan(tape, model, (tape.scale(query), key, value, gates))
        if x.size < FLOAT32:
            mixed = tape.copy(mixed, x.size)
        mixed = model.norm.trace(tape, value_dim, mixed)
        gate = tape.activate(tape.linear(x, width, values), "silu")
        gated = tape.copy(tape.multiply(mixed, gate))
        return tape.linear(gated, values, width, self.out_bias)

    def _trace_scan(self, tape: Tape, model: GPTConfig, operands: tuple[Made, Made, Made, Made]) -> Made:
        """The chunks, whose pieces are put in order for products where they are not."""
        query, key, value, gates = (x if x.size == FLOAT32 else tape.copy(x, FLOAT32) for x in operands)
        key_dim, value_dim = self.head_dims(model)
        run, heads = tape.run, tape.run.batch * model.n_heads
        values_in_place = 1 in (run.batch, model.n_heads, run.time)
        kept, starts = 0, range(0, run.time, self.chunk)
        for start in starts:
            chunk = min(self.chunk, run.time - start)
            # Gates to and from the start of the chunk; faded queries and keys; what pairs weigh.
            kept += chunk * 4 * key_dim + chunk * chunk
            products = 1
            if start:  # faded queries read the state
                in_place = values_in_place or chunk == 1
                kept += key_dim * value_dim + (0 if in_place else chunk * key_dim)
            if (
                start + chunk < run.time
            ):  # what is left behind: gates to the end, keys, and the state's fading
                kept += 2 * chunk * key_dim + (key_dim if start else 0)
                products += 1
            kept += 0 if values_in_place else products * chunk * value_dim
        also = (value,) if values_in_place else ()
        return tape.make(
            value.numbers,
            FLOAT32,
            query,
            key,
            value,
            gates,
            keeps=(query, key, *also, FLOAT32 * heads * kept),
        )

    def decode_macs(self, model: GPTConfig, context: int) -> int:
        """A pair with itself, H·(k + v); H·k·v to add to the state, as many to read it if there is one."""
        one = self.macs(model, 1)
        state = self.cache_values(model, 1)
        return one.linear + one.attention + state * (1 if context == 1 else 2)

    def cache_values_per_token(self, model: GPTConfig) -> int:
        """Nothing grows."""
        return 0

    def cache_values(self, model: GPTConfig, time: int) -> int:
        """H matrices of k x v, whatever the length."""
        key_dim, value_dim = self.head_dims(model)
        return model.n_heads * key_dim * value_dim

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """Heads fill the width unless their sizes are given; gates know the order, positions cannot act."""
        if None in (self.key_head_dim, self.value_head_dim) and model.emb_dim % model.n_heads:
            yield BrokenRule(
                ("n_heads",),
                f"`emb_dim` must be a multiple of `n_heads`, got {model.emb_dim} and {model.n_heads}; try "
                f"n_heads {' or '.join(near_divisors(model.emb_dim, model.n_heads))}, or give "
                "attention.key_head_dim and attention.value_head_dim",
            )
        if isinstance(model.position, AttentionPositionConfig):
            yield BrokenRule(
                ("position",),
                f"{model.position.kind} positions act on the scores of a softmax, which gated_linear "
                "attention does not have; give its layers position: {kind: none}",
            )
