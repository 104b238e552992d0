"""What all softmax attention kinds share: how queries and keys are scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import PositiveFloat, PositiveInt

from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.component import BrokenRule
from gpt_zoo.config.tape import FLOAT32

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class SoftmaxAttentionConfig(AttentionConfig):
    """Each query weighs the values before it with a softmax of its scores with their keys."""

    window: PositiveInt | None = None
    """Tokens that a query sees, itself included; None for all before it. Child et al. 2019,
    arXiv:1904.10509; Beltagy et al. 2020, "Longformer", arXiv:2004.05150."""
    scale: PositiveFloat | None = None
    """Factor of the scores; None for 1/√d, where d is the size of a query head."""
    softcap: PositiveFloat | None = None
    """c, which bounds the scores: c·tanh(score / c). Gemma Team 2024, "Gemma 2", arXiv:2408.00118."""
    sinks: bool = False
    """Whether each head has a learned score that takes weight from all tokens and gives no value. OpenAI
    2025, "gpt-oss-120b & gpt-oss-20b Model Card", arXiv:2508.10925; after Xiao et al. 2023,
    arXiv:2309.17453."""

    def query_dim(self, model: GPTConfig) -> int:
        """d, the size of a query head."""
        raise NotImplementedError

    def score_scale(self, model: GPTConfig) -> float:
        """The factor of the scores."""
        return self.scale or float(self.query_dim(model) ** -0.5)

    def pairs(self, time: int) -> tuple[int, int, int]:
        """Pairs of a query and a key: all of them, those of the causal mask, those in the window too."""
        reach = min(time, self.window or time)
        causal = time * (time + 1) // 2
        return time * time, causal, causal - (time - reach) * (time - reach + 1) // 2

    def trace_mix(self, tape: Tape, model: GPTConfig, query: Made, key: Made, value: Made) -> Made:
        """Values weighed for each query: by a kernel that stores no weights, or step by step.

        No kernel bounds the scores; that of the CPU drops no weights, and takes values of the size of keys.
        """
        run, bounds = tape.run, self.softcap is not None or self.sinks
        scale = self.score_scale(model)
        bias = model.position.trace_bias(tape, model, self.window, scale, query.size)
        if bounds or not run.fused:
            return self._trace_written_out(tape, model, (query, key, value), bias)
        heads = tape.tokens * model.n_heads
        alike = key.numbers == value.numbers
        if run.cuda or (alike and not (model.drop_rate and run.learns)):
            read = tuple(tape.low(x) for x in (query, key, value))
            mask = self._kernel_mask(tape, model, bias, read[0].size)
            numbers = heads * self.query_dim(model) * value.numbers // key.numbers
            mixed = tape.make(numbers, read[0].size, *read, keeps=(*read, *mask, FLOAT32 * heads))
            tape.keep(mixed)
            in_place = not query.by_head or 1 in (model.n_heads, run.time)
            return mixed if in_place else tape.copy(mixed)
        return self._trace_steps(tape, model, (query, key, value))

    def _kernel_mask(
        self, tape: Tape, model: GPTConfig, bias: Made | None, size: int
    ) -> tuple[Made | int, ...]:
        """The mask that a kernel keeps, in numbers as exact as the queries: made anew of truth values."""
        if bias is not None:
            return (bias if bias.size == size else bias.numbers * size,)
        if self.window is None or self.window >= tape.run.time:
            return ()
        tape.once(("mask", self.window), tape.run.time**2, 1)
        return (tape.run.time**2 * size,)

    def _trace_steps(self, tape: Tape, model: GPTConfig, operands: tuple[Made, Made, Made]) -> Made:
        """What torch does where it has no kernel: step by step, in float32."""
        size = tape.low_size(operands[0])
        query, key, value = (x if x.size == FLOAT32 else tape.copy(x, FLOAT32) for x in operands)
        numbers = model.n_heads * tape.tokens * self.query_dim(model)
        in_place = 1 in (tape.run.batch, model.n_heads, tape.run.time)  # nothing has to be put in order
        values = numbers * value.numbers // key.numbers
        value = value if in_place and value.numbers == values else tape.make(values, FLOAT32, value)
        query, key = tape.copy(query), tape.make(numbers, FLOAT32, key)
        pairs = model.n_heads * tape.tokens * tape.run.time
        scores = tape.make(pairs, FLOAT32, query, key, keeps=(query, key))
        tape.free(query)
        mixed = self._trace_weighed(tape, model, scores, value, values, rounds=False)
        return mixed if mixed.size == size else tape.copy(mixed, size)

    def _trace_written_out(
        self, tape: Tape, model: GPTConfig, operands: tuple[Made, Made, Made], bias: Made | None
    ) -> Made:
        """The same as our own code does it: in bfloat16 under autocast, with scores bounded and sinks."""
        query, key, value = operands
        heads, time = tape.tokens * model.n_heads, tape.run.time
        kv_heads = key.numbers // (tape.tokens * self.query_dim(model))
        query = tape.low(self._trace_by_head(tape, query, kv_heads, kv_heads != model.n_heads))
        if tape.run.learns:  # else they are so in the cache
            key, value = (self._trace_by_head(tape, x, kv_heads) for x in (key, value))
        key = tape.low(key)
        masked = bias is not None or (self.window is not None and self.window < time)
        scores = self._trace_scores(tape, heads * time, query, key, masked)
        if masked and bias is None:
            scores = tape.make(scores.numbers, scores.size, scores, keeps=(time**2,))
        elif bias is not None:
            scores = tape.make(scores.numbers, max(scores.size, bias.size), scores)
        if self.sinks:
            scores = tape.make(scores.numbers + heads, scores.size, scores, weights=model.n_heads)
        mixed = value.numbers // kv_heads * model.n_heads
        return self._trace_weighed(tape, model, scores, value, mixed, rounds=True)

    def _trace_scores(self, tape: Tape, pairs: int, query: Made, key: Made, masked: bool) -> Made:
        """Products of queries and keys; a mask that is not given otherwise is added as they are written."""
        if self.softcap is None and not masked:  # derivatives are scaled at last
            extra = key.numbers * key.size
            scores = tape.make(pairs, query.size, query, key, keeps=(query, key), extra=extra)
            tape.free(query)
            return scores
        scores = tape.scale(tape.make(pairs, query.size, query, key, keeps=(query, key)))
        tape.free(query)
        if self.softcap is not None:
            scores = tape.scale(tape.scale(scores))
            tape.keep(scores)
            scores = tape.scale(scores)
            scores = scores if masked else tape.scale(scores)  # the mask is added
        return scores

    def _trace_by_head(self, tape: Tape, x: Made, heads: int, shared: bool = False) -> Made:
        """Queries, keys or values in the order of heads; the queries of a `shared` key together."""
        run = tape.run
        in_order = x.by_head or run.time == 1 or (not shared and 1 in (run.batch, heads))
        return x if in_order else tape.copy(x)

    def _trace_weighed(
        self, tape: Tape, model: GPTConfig, scores: Made, value: Made, numbers: int, *, rounds: bool
    ) -> Made:
        """From scores to the sums of values, which autocast computes in bfloat16 where it rounds."""
        pairs = model.n_heads * tape.tokens * tape.run.time
        weights = tape.make(scores.numbers, scores.size, scores)
        tape.keep(weights)
        tape.free(scores)
        if weights.numbers != pairs:
            weights = tape.view(weights, pairs)
        weights = tape.dropout(weights, model.drop_rate)
        if rounds:
            weights, value = tape.low(weights), tape.low(value)
        mixed = tape.make(numbers, weights.size, weights, value, keeps=(weights, value))
        tape.free(weights, value)
        return tape.copy(mixed)

    def cache_values(self, model: GPTConfig, time: int) -> int:
        """The tokens in the window, at most."""
        return min(time, self.window or time) * self.cache_values_per_token(model)

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """A window lies within the context."""
        if self.window is not None and self.window > model.context_length:
            yield BrokenRule(
                ("attention", "window"),
                f"`window` must not be longer than the context, got {self.window} and a context_length of "
                f"{model.context_length}; try window {model.context_length}, or null for all tokens",
            )
