"""A mixture of experts."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.gpt import GPTConfig


class MixtureOfExperts(nn.Module):
    """Each token goes to the k of E experts that the router scores highest; their outputs are weighed and
    added.

    Source: Shazeer et al. 2017, "Outrageously Large Neural Networks", arXiv:1701.06538; the shared expert
        from Dai et al. 2024, "DeepSeekMoE", arXiv:2401.06066.
    Symbols: E experts, k of them a token, D model width, N tokens.
    Cost: D·E weights for the router and those of all experts; MACs of the router and of k experts a token.

    Args:
        config: The mixture's own config.
        model: The model's config as this layer sees it.
    """

    balance_loss: Float[Tensor, ""] | None = None
    """How unequally busy the experts were in the last training forward, times its factor: E·Σ f·P, 1 if all
    are equally busy. Fedus et al. 2021, "Switch Transformers", section 2.2, arXiv:2101.03961."""

    def __init__(self, config: MixtureOfExpertsConfig, model: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.router = nn.Linear(model.emb_dim, config.n_experts, bias=config.router_bias)
        self.experts = nn.ModuleList(config.expert.build(model) for _ in range(config.n_experts))
        self.shared = None if config.shared is None else config.shared.build(model)
        self.shared_gate = nn.Linear(model.emb_dim, 1, bias=False) if config.shared_gate else None

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle keeps: not the loss of the last forward, which hangs on its graph."""
        return {name: value for name, value in self.__dict__.items() if name != "balance_loss"}

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch emb_dim"]:
        """Each token of `x`, through the experts that it is sent to."""
        flat = x.flatten(0, -2)  # (N, D)
        scores: Tensor = self.router(flat)  # (N, E)
        shares = scores.to(torch.promote_types(scores.dtype, torch.float32)).softmax(dim=-1)
        weights, chosen = shares.topk(self.config.n_experts_per_token, dim=-1)  # (N, k) each
        if self.config.normalize_weights:
            weights = weights / weights.sum(dim=-1, keepdim=True)
        mixed = self._through_experts(flat, weights * self.config.weight_scale, chosen)
        busy = self.training and self.config.balance_loss > 0
        self.balance_loss = self.config.balance_loss * _imbalance(shares, chosen) if busy else None
        if self.shared is not None:
            always = self.shared(flat)
            mixed = mixed + (
                always if self.shared_gate is None else self.shared_gate(flat).sigmoid() * always
            )
        return mixed.view_as(x)

    def _through_experts(
        self, flat: Float[Tensor, "tokens emb_dim"], weights: Tensor, chosen: Int[Tensor, "tokens k"]
    ) -> Float[Tensor, "tokens emb_dim"]:
        """The weighted sum of what the chosen experts make of each token.

        Tokens are put in the order of their experts, so that each expert multiplies its own at once.
        """
        order = chosen.flatten().argsort(stable=True)  # (N·k,)
        token = order // chosen.size(1)
        parts = torch.split(flat[token], self._loads(chosen))
        made = torch.cat([expert(part) for expert, part in zip(self.experts, parts, strict=True)])  # (N·k, D)
        weighed = made * weights.flatten()[order, None].to(made.dtype)
        return torch.zeros_like(flat, dtype=made.dtype).index_add(0, token, weighed)

    def _loads(self, chosen: Int[Tensor, "tokens k"]) -> list[int]:
        """Tokens of each expert. Without values, on the meta device, any division has the same cost in
        sum."""
        experts = self.config.n_experts
        if chosen.is_meta:
            return [len(range(expert, chosen.numel(), experts)) for expert in range(experts)]
        loads: list[int] = chosen.flatten().bincount(minlength=experts).tolist()
        return loads


def _imbalance(shares: Float[Tensor, "tokens experts"], chosen: Int[Tensor, "tokens k"]) -> Float[Tensor, ""]:
    """E·Σ f·P: f the fraction of choices that fell on an expert, P its mean share."""
    experts = shares.size(-1)
    busy = F.one_hot(chosen, experts).to(shares.dtype).mean(dim=(0, 1))  # (E,)
    return experts * (busy * shares.mean(dim=0)).sum()
