"""Multi-head latent attention, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt

from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.component import BrokenRule, Macs, linear_params
from gpt_zoo.config.position.base import AttentionPositionConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class LatentAttentionConfig(SoftmaxAttentionConfig):
    """Keys and values of all heads are expanded from one compressed vector a token, which is all that
    decoding keeps; positions turn a part of each query and one key that all heads share."""

    kind: Literal["latent"] = "latent"
    module: ClassVar[str] = "gpt_zoo.layers.attention:LatentAttention"
    source: ClassVar[str] = 'DeepSeek-AI 2024, "DeepSeek-V2", arXiv:2405.04434'

    kv_rank: PositiveInt
    """c, the size of the compressed keys and values."""
    head_dim: PositiveInt
    """d, the part of a query or key that has no position."""
    rope_head_dim: NonNegativeInt = 0
    """r, the part that positions turn; its key is shared by all heads."""
    value_head_dim: PositiveInt
    """v, the size of a value."""
    query_rank: PositiveInt | None = None
    """q, the size of the compressed queries; None projects them at once."""
    out_bias: bool = False

    def query_dim(self, model: GPTConfig) -> int:
        """d + r."""
        return self.head_dim + self.rope_head_dim

    def params(self, model: GPTConfig) -> int:
        """One for each weight of `_weights`, the biases, two norms at most, H sinks."""
        biases = model.emb_dim if self.out_bias else 0
        if model.qkv_bias:
            biases += self.kv_rank + self.rope_head_dim + (self.query_rank or self._queries(model))
        norms = model.norm.params(self.kv_rank)
        norms += 0 if self.query_rank is None else model.norm.params(self.query_rank)
        return self._weights(model) + biases + norms + (model.n_heads if self.sinks else 0)

    def _queries(self, model: GPTConfig) -> int:
        return model.n_heads * self.query_dim(model)

    def _weights(self, model: GPTConfig) -> int:
        """Queries D·H(d+r), or D·q + q·H(d+r); D·(c+r) down, c·H(d+v) up, H·v·D out."""
        queries = self._queries(model)
        down_and_up = model.emb_dim if self.query_rank is None else self.query_rank
        return (
            linear_params(down_and_up, queries, bias=False)
            + (0 if self.query_rank is None else linear_params(model.emb_dim, self.query_rank, bias=False))
            + linear_params(model.emb_dim, self.kv_rank + self.rope_head_dim, bias=False)
            + linear_params(self.kv_rank, model.n_heads * (self.head_dim + self.value_head_dim), bias=False)
            + linear_params(model.n_heads * self.value_head_dim, model.emb_dim, bias=False)
        )

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """One a weight and token; H·(d + r + v) for each pair. Keys and values are expanded, as in
        training."""
        pair = model.n_heads * (self.query_dim(model) + self.value_head_dim)
        return Macs(time * self._weights(model), *(pair * pairs for pairs in self.pairs(time)))

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Compressed vectors, what is expanded from them, the mix of values, and its projection."""
        tokens, heads = x.numbers // model.emb_dim, x.numbers // model.emb_dim * model.n_heads
        rope = self.rope_head_dim
        queries = self._trace_queries(tape, model, x)
        down = tape.linear(x, model.emb_dim, self.kv_rank + rope, model.qkv_bias)
        compressed = model.norm.trace(tape, self.kv_rank, tape.view(down, tokens * self.kv_rank))
        query_part, key_part = tape.view(queries, heads * rope), tape.view(down, tokens * rope)
        if rope:
            query_part, key_part = (
                model.position.trace_turn(tape, model, part) for part in (query_part, key_part)
            )
        expanded = model.n_heads * (self.head_dim + self.value_head_dim)
        both = tape.linear(compressed, self.kv_rank, expanded)
        query, key = tape.view(queries, heads * self.head_dim), tape.view(both, heads * self.head_dim)
        numbers = heads * self.query_dim(model)
        query = tape.make(numbers, max(query.size, query_part.size), query, query_part)
        key = tape.make(numbers, max(key.size, key_part.size), key, key_part)
        query.by_head = key.by_head = True
        if rope:
            tape.free(queries, down, key_part)
        value = tape.view(both, heads * self.value_head_dim)
        mixed = self.trace_mix(tape, model, query, key, value)
        return tape.linear(mixed, model.n_heads * self.value_head_dim, model.emb_dim, self.out_bias)

    def _trace_queries(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Projected at once, or through their compressed form."""
        if self.query_rank is None:
            return tape.linear(x, model.emb_dim, self._queries(model), model.qkv_bias)
        down = tape.linear(x, model.emb_dim, self.query_rank, model.qkv_bias)
        return tape.linear(
            model.norm.trace(tape, self.query_rank, down), self.query_rank, self._queries(model)
        )

    def decode_macs(self, model: GPTConfig, context: int) -> int:
        """Queries are compressed, and meet the c + r numbers that are kept of a token: H·(2c + r) for each.

        What compresses queries and expands values are the weights that otherwise expand keys and values,
        once. With sinks the keys and values of all tokens are expanded anew: c·H·(d + v) for each further
        one.
        """
        seen = self.pairs(context)[2] - self.pairs(context - 1)[2]
        if not self.sinks:
            kept = 2 * self.kv_rank + self.rope_head_dim
            return self._weights(model) + seen * model.n_heads * kept
        expanded = self.kv_rank * model.n_heads * (self.head_dim + self.value_head_dim)
        pair = model.n_heads * (self.query_dim(model) + self.value_head_dim)
        return self._weights(model) + (seen - 1) * expanded + seen * pair

    def position_dim(self, model: GPTConfig) -> int:
        """r."""
        return self.rope_head_dim

    def cache_values_per_token(self, model: GPTConfig) -> int:
        """The compressed vector and the shared key: c + r."""
        return self.kv_rank + self.rope_head_dim

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """What is set aside for positions must have some."""
        yield from super().broken_rules(model)
        turns = isinstance(model.position, AttentionPositionConfig) and model.position.turns
        if self.rope_head_dim and not turns:
            yield BrokenRule(
                ("attention", "rope_head_dim"),
                f"`rope_head_dim` is the part that positions turn, got {self.rope_head_dim} with "
                f"{model.position.kind} positions; try 0, or position: {{kind: rotary}}",
            )
