"""Training FLOPs as papers count them: named conventions, side by side and never mixed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from gpt_zoo.config.attention.heads import HeadsAttentionConfig
from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import FLOPS_PER_MAC, TRAINING_FORWARDS, Cost, model_cost

HEADLINE = "matmul_full"
"""The convention of all other tables."""
SOFTMAX_FLOPS = 3
"""Of a pair and head, as Hoffmann et al. count them."""


@dataclass(frozen=True)
class Convention:
    """One way to count the FLOPs of training.

    Args:
        formula: As the paper writes it, for one token.
        source: Where it comes from, and what is said to models outside of its form.
        count: Training FLOPs of one sequence of T tokens, of a config with a cost, given N.
        parameters: N, if the convention has one.
        sparse: Whether it is of use only where a token does not use all parameters.
        misfit: Why the formula says nothing about a model; empty if it does.
    """

    name: str
    formula: str
    source: str
    count: Callable[[GPTConfig, Cost, int], int]
    parameters: Callable[[Cost], int] | None = None
    sparse: bool = False
    misfit: Callable[[GPTConfig], str] = lambda config: ""


@dataclass(frozen=True)
class ConventionFlops:
    """What one convention counts for a model.

    Args:
        parameters: N of the formula, if it has one.
        flops_train_sequence: Of T tokens, exactly; None where the formula says nothing about the model.
        flops_train: Of the run, if one was asked for.
        misfit: Why there is no number.
    """

    convention: Convention
    context_length: int
    parameters: int | None = None
    flops_train_sequence: int | None = None
    flops_train: int | None = None
    misfit: str = ""

    @property
    def flops_train_per_token(self) -> int | float | None:
        """A whole number where it is one."""
        if self.flops_train_sequence is None:
            return None
        whole, rest = divmod(self.flops_train_sequence, self.context_length)
        return self.flops_train_sequence / self.context_length if rest else whole


def count_conventions(
    config: GPTConfig, context_length: int | None = None, tokens: int | None = None
) -> list[ConventionFlops]:
    """What each convention counts for `config`, the headline first.

    Args:
        context_length: T; the config's own unless given.
        tokens: Of a run, in sequences of T.

    Raises:
        ValueError: as for `model_cost`; a run of no tokens.
    """
    if tokens is not None and tokens < 1:
        raise ValueError(f"a run must have at least 1 token, got {tokens}; try 300_000_000_000")
    return list(_count(config, model_cost(config, context_length), tokens))


def _count(config: GPTConfig, cost: Cost, tokens: int | None) -> Iterator[ConventionFlops]:
    time = cost.context_length
    for convention in CONVENTIONS:
        if convention.sparse and cost.params == cost.params_active:
            continue
        if reason := convention.misfit(config):
            yield ConventionFlops(convention, time, misfit=reason)
            continue
        parameters = convention.parameters and convention.parameters(cost)
        flops = convention.count(config, cost, parameters or 0)
        run = None if tokens is None else round(Fraction(flops * tokens, time))
        yield ConventionFlops(convention, time, parameters, flops, run)


def count_6n(config: GPTConfig, cost: Cost, parameters: int) -> int:
    """6·N for each token: a multiply-accumulate of each weight, and two in the backward pass."""
    return TRAINING_FORWARDS * FLOPS_PER_MAC * parameters * cost.context_length


def count_kaplan(config: GPTConfig, cost: Cost, parameters: int) -> int:
    """3 x (2·N + 2·n_layer·n_ctx·d_attn) for each token, where d_attn is H·d of each layer."""
    attention = FLOPS_PER_MAC * cost.context_length**2 * _sum_of_widths(config)
    return count_6n(config, cost, parameters) + TRAINING_FORWARDS * attention


def count_palm(config: GPTConfig, cost: Cost, parameters: int) -> int:
    """6·N + 12·L·H·Q·T for each token, where H·Q may differ from layer to layer."""
    return count_6n(config, cost, parameters) + 12 * cost.context_length**2 * _sum_of_widths(config)


def count_chinchilla(config: GPTConfig, cost: Cost, parameters: int) -> int:
    """Forward three times: all products, the look-up as one of them, and the softmax.

    Where the paper has three projections and two matrices, the model's own count: those of fewer key/value
    heads, of a gate, of the router and the experts that a token is sent to.
    """
    time = cost.context_length
    embedding = FLOPS_PER_MAC * time * config.embedding.table_params(config)
    heads = sum(count * layer.n_heads for layer, count in config.distinct_layers)
    return TRAINING_FORWARDS * (cost.flops_forward + embedding + SOFTMAX_FLOPS * heads * time**2)


def _sum_of_widths(config: GPTConfig) -> int:
    """H·d, summed over the layers."""
    total = 0
    for layer, count in config.distinct_layers:
        assert isinstance(layer.attention, HeadsAttentionConfig)
        total += count * layer.attention.widths(layer)[0]
    return total


def lacks_heads(config: GPTConfig) -> str:
    """Why formulas with one size of head say nothing about a model."""
    kinds = _other_kinds(config, HeadsAttentionConfig)
    return f"made for heads of one size, got {kinds} attention" if kinds else ""


def lacks_softmax(config: GPTConfig) -> str:
    """Why a formula with a softmax over T x T pairs says nothing about a model."""
    kinds = _other_kinds(config, SoftmaxAttentionConfig)
    return f"made for a softmax over T x T pairs, got {kinds} attention" if kinds else ""


def _other_kinds(config: GPTConfig, wanted: type) -> str:
    layers = (layer.attention for layer, _ in config.distinct_layers)
    return " and ".join(dict.fromkeys(one.kind for one in layers if not isinstance(one, wanted)))


def _params(cost: Cost) -> int:
    return cost.params


def _params_active(cost: Cost) -> int:
    return cost.params_active


def _params_non_embedding(cost: Cost) -> int:
    return cost.params_non_embedding


def _params_non_embedding_active(cost: Cost) -> int:
    return cost.params_non_embedding - (cost.params - cost.params_active)


CONVENTIONS = (
    Convention(
        HEADLINE,
        "3 x forward, attention T x T",
        "the headline of all tables: matrix multiplications only, 2 FLOPs a multiply-accumulate, logits at "
        "all positions",
        lambda config, cost, _: TRAINING_FORWARDS * cost.flops_forward,
    ),
    Convention(
        "matmul_causal",
        "3 x forward, attention T(T+1)/2",
        "the same with the pairs that a causal mask keeps",
        lambda config, cost, _: TRAINING_FORWARDS * cost.flops_forward_causal,
    ),
    Convention(
        "matmul_windowed",
        "3 x forward, attention in windows",
        "the same with those of them that lie in the window of their layer",
        lambda config, cost, _: TRAINING_FORWARDS * cost.flops_forward_windowed,
    ),
    Convention(
        "matmul_recomputed",
        "4 x layers + 3 x embedding, head",
        "the headline where layers compute their inside again in the backward pass; Narayanan et al. 2021, "
        '"Efficient Large-Scale Language Model Training", arXiv:2104.04473',
        lambda config, cost, _: cost.flops_train_step_recomputed // cost.batch_size,
    ),
    Convention(
        "6nd",
        "6N",
        'Brown et al. 2020, "Language Models are Few-Shot Learners", appendix D, arXiv:2005.14165; N is all '
        "parameters",
        count_6n,
        _params,
    ),
    Convention("6nd_active", "6N", "the same; N is those that a token uses", count_6n, _params_active, True),
    Convention(
        "kaplan",
        "6N + 6·L·T·d_attn",
        'Kaplan et al. 2020, "Scaling Laws for Neural Language Models", table 1, arXiv:2001.08361; three '
        "times its 2N + 2·L·T·d_attn; N is without tables of tokens and positions and an untied head, with "
        "biases and norms, which the paper leaves out as small; windows count in full",
        count_kaplan,
        _params_non_embedding,
        misfit=lacks_heads,
    ),
    Convention(
        "kaplan_active",
        "6N + 6·L·T·d_attn",
        "the same; N is those of them that a token uses",
        count_kaplan,
        _params_non_embedding_active,
        True,
        lacks_heads,
    ),
    Convention(
        "palm",
        "6N + 12·L·H·Q·T",
        'Chowdhery et al. 2022, "PaLM", appendix B, arXiv:2204.02311; N is all parameters; windows count in '
        "full",
        count_palm,
        _params,
        misfit=lacks_heads,
    ),
    Convention(
        "palm_active",
        "6N + 12·L·H·Q·T",
        "the same; N is those that a token uses",
        count_palm,
        _params_active,
        True,
        lacks_heads,
    ),
    Convention(
        "chinchilla",
        "matmul_full + 6·V·D + 9·L·H·T",
        'Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", appendix F, '
        "arXiv:2203.15556: products, with the look-up of embeddings as one, and 3 a pair for the softmax; "
        "where it has three projections and two dense matrices, the model's own count, of a mixture those "
        "that a token uses; windows count in full",
        count_chinchilla,
        misfit=lacks_softmax,
    ),
)
"""All of them, in the order in which they are shown."""
