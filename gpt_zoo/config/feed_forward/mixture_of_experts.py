"""A mixture of experts, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from gpt_zoo.config.component import BrokenRule, Macs, linear_params
from gpt_zoo.config.feed_forward.base import FeedForwardBaseConfig
from gpt_zoo.config.slot import Slot

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


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

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """Router and shared expert for all tokens, k experts for each."""
        expert = self.expert.macs(model, time)
        total = Macs(linear=time * model.emb_dim * (self.n_experts + self.shared_gate))
        if self.shared is not None:
            total += self.shared.macs(model, time)
        return total + Macs(linear=self.n_experts_per_token * expert.linear)

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
