"""A mixture of experts, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from gpt_zoo.config.component import BrokenRule, Macs, linear_params
from gpt_zoo.config.feed_forward.base import FeedForwardBaseConfig
from gpt_zoo.config.slot import Slot
from gpt_zoo.config.tape import FLOAT32, INT64

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class MixtureOfExpertsConfig(FeedForwardBaseConfig):
    """A router sends each token to the k of E feed-forward networks which it scores highest; their outputs
    are added with its weights."""

    kind: Literal["mixture_of_experts"] = "mixture_of_experts"
    module: ClassVar[str] = "gpt_zoo.layers.feed_forward:MixtureOfExperts"
    source: ClassVar[str] = (
        'Shazeer et al. 2017, "Outrageously Large Neural Networks: The Sparsely-Gated '
        'Mixture-of-Experts Layer", arXiv:1701.06538'
    )

    n_experts: PositiveInt
    """E, the number of experts that tokens are sent to."""
    n_experts_per_token: PositiveInt
    """k, how many each token is sent to."""
    expert: Annotated[FeedForwardBaseConfig, Slot("expert")]
    """What each expert is."""
    shared: Annotated[FeedForwardBaseConfig | None, Slot("expert", optional=True)] = None
    """An expert that sees every token. Dai et al. 2024, "DeepSeekMoE", arXiv:2401.06066."""
    shared_gate: bool = False
    """Whether a learned sigmoid weighs the shared expert. Qwen Team 2024, "Qwen1.5-MoE"."""
    router_bias: bool = False
    """Whether the router's scores have a bias."""
    normalize_weights: bool = True
    """Whether the weights of the k experts add up to 1; else they are their shares among all E."""
    weight_scale: PositiveFloat = 1.0
    """Factor of the weights."""
    balance_loss: float = Field(default=0.01, ge=0.0)
    """Factor of the loss that keeps experts equally busy, added in training. Fedus et al. 2021, "Switch
    Transformers", section 2.2, arXiv:2101.03961."""

    def _router_params(self, model: GPTConfig) -> int:
        gate = model.emb_dim if self.shared_gate else 0
        return linear_params(model.emb_dim, self.n_experts, self.router_bias) + gate

    def _params(self, model: GPTConfig, experts: int) -> int:
        shared = 0 if self.shared is None else self.shared.params(model)
        return self._router_params(model) + shared + experts * self.expert.params(model)

    def params(self, model: GPTConfig) -> int:
        """D·E for the router, and those of all experts."""
        return self._params(model, self.n_experts)

    def params_active(self, model: GPTConfig) -> int:
        """The same with k experts."""
        return self._params(model, self.n_experts_per_token)

    def experts_used(self, tokens: int) -> float:
        """E·(1 - (1 - k/E)^N): experts that N tokens use which choose evenly and alone."""
        experts, chosen = self.n_experts, self.n_experts_per_token
        return chosen if tokens == 1 else experts * (1 - (1 - chosen / experts) ** tokens)

    def params_read(self, model: GPTConfig, tokens: int) -> int:
        """The same with the experts that so many tokens use."""
        further = self.experts_used(tokens) - self.n_experts_per_token
        return self.params_active(model) + round(further * self.expert.params(model))

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """Router and shared expert for all tokens, k experts for each."""
        expert = self.expert.macs(model, time)
        total = Macs(linear=time * model.emb_dim * (self.n_experts + self.shared_gate))
        if self.shared is not None:
            total += self.shared.macs(model, time)
        return total + Macs(linear=self.n_experts_per_token * expert.linear)

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """The shares of all experts, copies of each token for its k experts, and what is made of them.

        Which expert gets how many tokens depends on them; the sum, k·N, does not.
        """
        width, size = model.emb_dim, x.size
        tokens = x.numbers // width
        sent = tokens * self.n_experts_per_token
        weights = self._trace_weights(tape, model, x)
        gathered = tape.make(sent * width, size, x, keeps=(INT64 * sent,))
        made = self._trace_experts(tape, model, gathered)
        chosen = tape.make(sent, FLOAT32, weights, keeps=(INT64 * sent,))
        if made.size < FLOAT32:
            chosen = tape.copy(chosen, made.size)
        weighed = tape.multiply(made, chosen)
        tape.free(chosen)
        mixed = tape.make(tokens * width, made.size, weighed, keeps=(weighed,))
        tape.free(made, weighed)
        if self.shared is None:
            return mixed
        always = self.shared.trace(tape, model, x)
        if self.shared_gate:
            gate = tape.linear(x, width, 1)
            gate = tape.make(gate.numbers, gate.size, gate)
            tape.keep(gate)
            always = tape.multiply(gate, always)
        return tape.add(mixed, always)

    def _trace_experts(self, tape: Tape, model: GPTConfig, gathered: Made) -> Made:
        """The results of all experts in one piece.

        For the backward pass they are told as one whose weights are those of all. Without one each is gone
        before the next is computed, of as many tokens if they are equally busy.
        """
        if tape.run.learns:
            tape.copies = self.n_experts
            made = tape.copy(self.expert.trace(tape, model, gathered))
            tape.copies = 1
            return made
        load = -(-gathered.numbers // model.emb_dim // self.n_experts)
        with tape.part("expert"):
            one = self.expert.trace(tape, model, tape.view(gathered, load * model.emb_dim))
        pieces = tape.make(gathered.numbers, one.size, gathered)
        tape.free(one)
        made = tape.copy(pieces)
        tape.free(pieces, gathered)
        return made

    def _trace_weights(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """From the router's scores to the weights of the k experts of each token, in float32."""
        tokens = x.numbers // model.emb_dim
        sent = tokens * self.n_experts_per_token
        scores = tape.linear(x, model.emb_dim, self.n_experts, self.router_bias)
        if scores.size < FLOAT32:
            scores = tape.copy(scores, FLOAT32)
        balance = (FLOAT32 * self.n_experts,) if self.balance_loss else ()
        shares = tape.make(scores.numbers, FLOAT32, scores, keeps=balance)
        tape.keep(shares)
        weights = tape.make(sent, FLOAT32, shares, keeps=(INT64 * sent,))
        if self.normalize_weights:
            weights = tape.make(sent, FLOAT32, weights, keeps=(weights, FLOAT32 * tokens))
        return tape.scale(weights)

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """There are as many experts as are wanted; the parts' own rules."""
        if self.n_experts_per_token > self.n_experts:
            yield BrokenRule(
                ("feed_forward", "n_experts_per_token"),
                f"`n_experts_per_token` must not exceed `n_experts`, got {self.n_experts_per_token} and "
                f"{self.n_experts}; try {self.n_experts}",
            )
        if self.shared_gate and self.shared is None:
            yield BrokenRule(
                ("feed_forward", "shared_gate"),
                "`shared_gate` weighs a shared expert, got true and none; try shared_gate false, or "
                "shared: {kind: gated}",
            )
        for name, part in (("expert", self.expert), ("shared", self.shared)):
            for rule in () if part is None else part.broken_rules(model):
                yield BrokenRule(("feed_forward", name, *rule.path[1:]), rule.message)
