"""muP: factors by hand, the standard parametrization at the base width, and what a coordinate check tells."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tiny_trainings import begin, job_for, settings, tiny, train

from experiments.coordinates.check import find_trends, growing_trends, slope_of
from experiments.coordinates.measure import Request, measure_coordinates
from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.record import Status
from experiments.training.config import TrainingConfig
from experiments.training.multipliers import with_multipliers
from experiments.training.mup import mup_factors
from experiments.trial import run_trial
from gpt_zoo.checkpoint import load_checkpoint
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.model import GPTModel

BASE = 16
MUP: dict[str, Any] = {"parametrization": "mup", "base_width": BASE}


def mup(**training: Any) -> TrainingConfig:
    return settings(**MUP, **training)


def factors(**changes: Any) -> dict[str, tuple[float, float]]:
    """Of initial values and rates, at four times the base width."""
    config = tiny(emb_dim=4 * BASE, **changes)
    return {name: (factor.initial, factor.rate) for name, factor in mup_factors(config, BASE).items()}


def test_rates_and_initial_values_at_four_times_the_width_are_those_of_table_8() -> None:
    hidden = (1 / 2, 1 / 4)  # variance 1 / fan_in, rate 1 / fan_in
    output = (1 / 4, 1 / 4)  # variance 1 / fan_in², rate 1 / fan_in: with no factor in the forward pass
    vector = (1.0, 1.0)
    expected = {
        "token_table.weight": vector,
        "position.table.weight": vector,
        "blocks.0.attention.query.weight": hidden,
        "blocks.0.attention.key.weight": hidden,
        "blocks.0.attention.value.weight": hidden,
        "blocks.0.attention.output.weight": hidden,
        "blocks.0.feed_forward.expand.weight": hidden,
        "blocks.0.feed_forward.output.weight": hidden,
        "head.weight": output,
    }
    found = factors()
    assert {name: found[name] for name in expected} == expected
    assert {found[name] for name in found.keys() - expected.keys()} == {vector}  # biases and norms


def test_maps_to_a_fixed_size_are_outputs_and_maps_from_one_are_inputs() -> None:
    experts: dict[str, Any] = {"kind": "mixture_of_experts", "n_experts": 4, "n_experts_per_token": 2}
    experts["expert"] = {"kind": "plain"}
    found = factors(feed_forward=experts, embedding={"dim": 8}, head={"dim": 24})
    assert found["blocks.0.feed_forward.router.weight"] == (1 / 4, 1 / 4)
    assert found["head.projection.weight"] == (1 / 4, 1 / 4)
    assert found["head.weight"] == found["token_table.weight"] == (1.0, 1.0)
    assert found["token_table.projection.weight"] == (1.0, 1.0)
    fixed = factors(feed_forward={"kind": "plain", "hidden_dim": 32})
    assert fixed["blocks.0.feed_forward.expand.weight"] == (1 / 4, 1 / 4)
    assert fixed["blocks.0.feed_forward.output.weight"] == (1.0, 1.0)


def test_heads_of_a_declared_size_are_more_when_a_model_is_wider() -> None:
    heads = {"kind": "grouped_query", "head_dim": 8, "n_kv_heads": 1}
    found = factors(n_heads=8, attention=heads)
    assert found["blocks.0.attention.key.weight"] == (1 / 2, 1 / 4)
    assert found["blocks.0.attention.output.weight"] == (1 / 2, 1 / 4)


def test_layers_that_differ_have_factors_of_their_own() -> None:
    layers = [{"feed_forward": {"hidden_dim": 32}}, {}]
    found = factors(n_layers=2, layers=layers)
    assert found["blocks.0.feed_forward.output.weight"] == (1.0, 1.0)
    assert found["blocks.1.feed_forward.output.weight"] == (1 / 2, 1 / 4)


@pytest.mark.parametrize("initialization", ["gpt2", "small_init", "mitchell", "torch"])
@pytest.mark.parametrize("name", ["token_table.weight", "blocks.0.feed_forward.output.weight", "head.weight"])
def test_initial_values_follow_the_width_whatever_the_rule(
    tokens: Tokens, initialization: str, name: str
) -> None:
    """Wide enough for standard deviations to be told within a few percent."""
    powers = {"token_table.weight": 0.0, "blocks.0.feed_forward.output.weight": -0.5, "head.weight": -1.0}

    def deviation(width: int) -> float:
        config = tiny(emb_dim=width, initialization=initialization)
        training = begin(tokens, config, parametrization="mup", base_width=32)
        return training.model.get_parameter(name).std().item()

    assert deviation(128) / deviation(32) == pytest.approx(4 ** powers[name], rel=0.06)


def test_groups_are_stepped_at_their_own_rate_and_decay_alike(tokens: Tokens) -> None:
    training = begin(tokens, tiny(emb_dim=4 * BASE), learning_rate=0.5, weight_decay=0.2, **MUP)
    [optimizer] = training.engine.optimizers
    names = {id(parameter): name for name, parameter in training.model.named_parameters()}
    seen = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            seen[names[id(parameter)]] = (group["lr"], group["weight_decay"])
    assert seen["blocks.0.attention.query.weight"] == seen["head.weight"] == (0.125, 0.8)
    assert seen["token_table.weight"] == (0.5, 0.2)
    assert seen["final_norm.scale"] == (0.5, 0.0)
    assert len(seen) == len(names)


def test_the_schedule_reaches_every_group(tokens: Tokens) -> None:
    config = tiny(emb_dim=4 * BASE)
    training = begin(
        tokens, config, budget={"steps": 2}, learning_rate=0.4, warmup_fraction=0.0, schedule="linear", **MUP
    )
    training.run(Silent())
    [optimizer] = training.engine.optimizers
    # At the end a tenth of the peak is left.
    assert sorted({group["lr"] for group in optimizer.param_groups}) == pytest.approx([0.01, 0.04])


def losses(tokens: Tokens, config: GPTConfig, **training: Any) -> list[float | None]:
    return [point.train_loss for point in train(tokens, config, **training).spent.curve]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tie_embeddings": True},
        {"initialization": "torch", "embedding": {"multiplier": "sqrt_dim"}},
        {"attention": {"kind": "grouped_query", "n_kv_heads": 1, "head_dim": 12}},
        {
            "n_layers": 3,
            "layers": [{"attention": {"window": 4}}, {}],
            "single_layers": [{"at": 2, "n_heads": 4}],
        },
    ],
    ids=["plain", "tied", "torch", "head_dim", "layers"],
)
def test_at_the_base_width_it_is_the_standard_one_to_the_bit(tokens: Tokens, changes: dict[str, Any]) -> None:
    config = tiny(emb_dim=BASE, **changes)
    assert losses(tokens, config, **MUP) == losses(tokens, config)
    wide = tiny(emb_dim=2 * BASE, **changes)
    assert losses(tokens, wide, **MUP) != losses(tokens, wide)


@pytest.mark.parametrize(
    "means",
    [
        {"precision": "bfloat16_master"},
        {"gradient_accumulation": 2},
        {"optimizer": "lion"},
        {"recompute": True},
    ],
    ids=lambda means: next(iter(means)),
)
def test_it_goes_with_the_other_means(tokens: Tokens, means: dict[str, Any]) -> None:
    config = tiny(emb_dim=2 * BASE)
    first, last = (losses(tokens, config, budget={"steps": 40}, **MUP, **means)[place] for place in (0, -1))
    assert first is not None
    assert last is not None
    assert last < first


def test_an_interrupted_training_goes_on_with_the_rates_of_its_groups(tokens: Tokens, state: Path) -> None:
    config = tiny(emb_dim=4 * BASE)
    whole = train(tokens, config, budget={"steps": 6}, **MUP)
    part = begin(tokens, config, state=state, budget={"steps": 6}, **MUP)
    for _ in range(3):
        part._step()
    part.save_state()
    resumed = begin(tokens, config, state=state, budget={"steps": 6}, **MUP)
    assert resumed.spent.step == 3
    resumed.run(Silent())
    for name, weight in whole.model.named_parameters():
        assert torch.equal(weight, resumed.model.get_parameter(name)), name


@pytest.mark.parametrize("tied", [False, True])
def test_a_checkpoint_gives_the_same_logits(tokens: Tokens, tmp_path: Path, tied: bool) -> None:
    config = tiny(emb_dim=4 * BASE, tie_embeddings=tied, embedding={"multiplier": "sqrt_dim"})
    job = job_for(tokens, tmp_path, config, save_weights=True, **MUP)
    assert run_trial(job, Silent()).status is Status.COMPLETE
    loaded = load_checkpoint(job.weights)
    trained = train(tokens, config, **MUP).model.eval()
    ids = torch.arange(12)[None]
    assert torch.equal(loaded(ids), trained(ids))
    # Scores as 1/d: √8 / 32 instead of 1/√32.
    assert loaded.config.attention.scale == pytest.approx(math.sqrt(8) / 32)  # type: ignore[attr-defined]
    assert loaded.config.head.multiplier == (0.25 if tied else 1.0)
    assert loaded.config.embedding.multiplier == 4.0


def test_scores_stay_where_heads_are_added_instead() -> None:
    more = tiny(emb_dim=4 * BASE, n_heads=8)
    assert with_multipliers(more, mup(base_head_dim=8)) == more
    declared = tiny(emb_dim=4 * BASE, attention={"kind": "multi_head", "head_dim": 8})
    assert with_multipliers(declared, mup()) == declared
    assert with_multipliers(tiny(emb_dim=4 * BASE), settings()) == tiny(emb_dim=4 * BASE)


def test_each_layer_has_the_scores_of_its_own_heads() -> None:
    layers = [{"n_heads": 4}, {"attention": {"kind": "multi_head", "scale": 0.5}}]
    config = with_multipliers(tiny(emb_dim=4 * BASE, n_layers=2, layers=layers), mup())
    scales = [config.layer(index).attention.scale for index in range(2)]  # type: ignore[attr-defined]
    assert scales == pytest.approx([math.sqrt(4) / 16, 0.5 / math.sqrt(4)])
    GPTModel(config)


def test_what_has_no_rules_is_refused_with_the_fix(tokens: Tokens) -> None:
    with pytest.raises(ValidationError, match="try optimizer adamw or lion, or parametrization standard"):
        TrainingConfig(optimizer="muon", parametrization="mup")
    embedded = tiny(tie_embeddings=True, embedding={"dim": 32}, emb_dim=32)
    with pytest.raises(ValueError, match="leave sizes that follow from emb_dim undeclared"):
        begin(tokens, embedded, **MUP)


def check(tokens: Tokens, parametrization: str, **changes: Any) -> dict[tuple[str, str], float]:
    """Slopes over widths of 16 to 128, after four steps."""
    training = TrainingConfig.model_validate({"parametrization": parametrization, "learning_rate": 0.01})
    config = tiny(n_heads=2, n_layers=2, vocab_size=tokens.vocab_size, **changes)
    request = Request(config, training, (32, 64, 128, 256), steps=4, seeds=3)
    trends = find_trends(measure_coordinates(request, tokens, Silent()))
    assert bool(growing_trends(trends)) == (parametrization == "standard")
    return {(trend.what, trend.component): trend.slope for trend in trends if trend.step == 4}


def test_changes_are_as_large_at_any_width_with_mup_and_grow_without(tokens: Tokens) -> None:
    """Yang et al. 2022, figure 5."""
    flat, steep = check(tokens, "mup"), check(tokens, "standard")
    for component in ("embedding", "attention", "feed_forward", "logits"):
        assert abs(flat["change", component]) < 0.25
    assert abs(flat["change", "logits"]) < 0.15
    for component in ("attention", "feed_forward", "logits"):
        assert steep["change", component] > 0.4


def test_a_tied_head_is_as_flat(tokens: Tokens) -> None:
    assert abs(check(tokens, "mup", tie_embeddings=True)["change", "logits"]) < 0.25


def test_a_slope_is_the_power_of_the_width() -> None:
    assert slope_of({64: 3.0, 128: 6.0, 256: 12.0}) == pytest.approx(1.0)
    assert slope_of({10: 1.0, 1000: 0.1}) == pytest.approx(-0.5)
    assert math.isnan(slope_of({64: 0.0, 128: 1.0}))
    with pytest.raises(ValueError, match="two widths at least"):
        slope_of({64: 1.0})
