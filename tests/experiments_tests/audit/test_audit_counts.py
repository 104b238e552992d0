"""What an audit counts, held against what is counted by hand."""

import math
import subprocess
import sys

import pytest
from small_audits import NANO, declare

from experiments.audit.content import Audit, wilson
from experiments.audit.run import run_audit
from experiments.loading import list_recipes, load_experiment
from gpt_zoo import GPTConfig, model_cost
from registry import load_variant

# 3 x 2 x 3 points. 5 heads divide no width of 24: 6 are invalid, and of those the 2 with 2 key/value heads
# break a second rule. Of the other 12: with 4 heads, multi_head, 1 and 2 key/value heads are three models;
# with 2 heads, 2 of them are multi_head. Times 2 activations: 6 + 4 models.
SPACE = {
    "n_heads": {"choice": [2, 4, 5]},
    "activation": {"choice": ["gelu", "relu"]},
    "attention": {
        "choice": [{"kind": "multi_head"}, {"kind": "grouped_query", "n_kv_heads": {"choice": [1, 2]}}]
    },
}


def look(space=None, points=100_000, seed=0, **changes) -> Audit:
    return run_audit(declare(space, **changes), points, seed, measure_seconds=None)


def test_a_space_counted_by_hand():
    audit = look(SPACE)
    assert (audit.size, audit.examined, audit.sampled) == (18, 18, False)
    assert (audit.valid.examined, audit.invalid.examined) == (12, 6)
    assert (audit.distinct, audit.equivalent) == (10, 2)
    assert [(rule.rule, rule.count.examined) for rule in audit.rules] == [
        ("n_heads: `emb_dim` must be a multiple of `n_heads`", 6),
        ("attention.n_kv_heads: `n_heads` must be a multiple of `n_kv_heads`", 2),
    ]
    assert audit.rules[0].example.startswith(
        "n_heads: `emb_dim` must be a multiple of `n_heads`, got 24 and 5; try"
    )
    assert [group.members for group in audit.twins] == [
        (
            f"n_heads=2 activation={name} attention=multi_head",
            f"n_heads=2 activation={name} attention=grouped_query attention[grouped_query].n_kv_heads=2",
        )
        for name in ("gelu", "relu")
    ]


def test_constraints_split_the_valid_points():
    # with 256 ids of the bytes tokenizer, of which multi_query attention has the fewest weights
    least, most = (
        model_cost(GPTConfig.model_validate(NANO | {"vocab_size": 256, "attention": attention})).params
        for attention in ({"kind": "multi_query"}, {"kind": "multi_head"})
    )
    limits = [f"params < {most}", f"params >= {least}", "memory_bytes <= 1TiB", "validation_loss <= 3"]
    audit = look(SPACE, constraints=limits)
    # As many key/value heads as heads, whatever they are called: 2 points of 4 heads, 4 of 2 heads.
    assert [(limit.broken.examined, limit.unknown.examined) for limit in audit.limits] == [
        (6, 0),
        (0, 0),
        (0, 12),
        (0, 12),
    ]
    assert (audit.infeasible.examined, audit.feasible.examined) == (6, 6)
    assert "memory_bytes is measured by the training" in audit.limits[2].remark
    assert audit.limits[0].remark == ""
    drawn = {histogram.name: histogram.bins for histogram in audit.histograms}
    assert sum(one.feasible for one in drawn["params"]) == 6
    assert sum(one.infeasible for one in drawn["params"]) == 6


def test_memory_that_is_not_there_for_certain_refuses():
    audit = look(SPACE, constraints=["memory_bytes <= 1KiB"])
    assert (audit.infeasible.examined, audit.feasible.examined) == (12, 0)
    assert (audit.cheapest, audit.dearest, audit.distinct) == (None, None, 0)
    assert audit.histograms  # of what is valid


def test_the_ends_of_a_space():
    audit = look({"n_layers": {"int": {"low": 1, "high": 3}}, "emb_dim": {"choice": [48, 24]}})
    assert audit.cheapest is not None
    assert audit.dearest is not None
    assert audit.cheapest.parameters == {"n_layers": 1, "emb_dim": 24}
    assert audit.dearest.parameters == {"n_layers": 3, "emb_dim": 48}
    config = GPTConfig.model_validate(NANO | {"vocab_size": 256, "n_layers": 3, "emb_dim": 48})
    cost = model_cost(config)
    assert audit.dearest.costs["params"] == cost.params
    assert audit.dearest.costs["train_flops"] == 10 * 4 * 3 * cost.flops_forward  # steps, sequences, passes


def test_a_space_of_one_point():
    audit = look({"n_layers": {"choice": [2]}})
    assert (audit.size, audit.valid.examined, audit.distinct) == (1, 1, 1)
    assert audit.cheapest == audit.dearest
    assert [len(histogram.bins) for histogram in audit.histograms] == [1, 1, 1]


def test_a_space_in_which_nothing_is_valid():
    audit = look({"n_heads": {"choice": [5, 7]}})
    assert (audit.valid.examined, audit.invalid.examined, audit.feasible.examined) == (0, 2, 0)
    assert (audit.histograms, audit.cheapest, audit.twins) == ((), None, ())


def test_an_endless_space_is_told_in_shares():
    audit = look({"drop_rate": {"float": {"low": 0, "high": 0.5}}, "n_heads": {"choice": [4, 5]}}, points=400)
    assert (audit.size, audit.examined, audit.sampled) == (None, 400, True)
    assert audit.valid.estimate is None
    assert audit.valid.low < 0.5 < audit.valid.high
    assert "endless" in audit.remarks[0]


def test_a_sample_is_scaled_to_its_space_with_an_interval():
    space = {"n_heads": {"choice": [2, 4, 5, 7]}, "context_length": {"int": {"low": 1, "high": 5000}}}
    audit = look(space, points=1000, seed=4)
    assert (audit.size, audit.examined) == (20_000, 1000)
    assert audit.valid.estimate == round(audit.valid.examined / 1000 * 20_000)
    assert audit.valid.low < 0.5 < audit.valid.high
    assert audit == look(space, points=1000, seed=4)
    assert audit != look(space, points=1000, seed=5)


def test_the_interval_of_wilson():
    # Agresti and Coull 1998: 0 of 10 at 95 % is 0 to 0.2775
    low, high = wilson(0, 10)
    assert (low, round(high, 4)) == (0.0, 0.2775)
    low, high = wilson(5, 10)
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)


def test_the_variants_of_a_comparison():
    twin = {"extends": "gpt-micro", "name": "twin", "attention": {"kind": "grouped_query", "n_kv_heads": 2}}
    limit = f"params <= {model_cost(load_variant('gpt-micro').config).params}"
    audit = look(None, variants=["gpt-micro", twin, "modern-nano"], constraints=[limit])
    assert (audit.comparison, audit.size, audit.valid.examined) == (True, 3, 3)
    assert (audit.infeasible.examined, audit.feasible.examined) == (1, 2)  # the largest one
    whole = look(None, variants=["gpt-micro", twin, "modern-nano"])
    assert (whole.distinct, whole.equivalent) == (2, 1)
    assert whole.twins[0].members == ("gpt-micro", "twin")


def test_a_budget_of_time_has_no_training_flops():
    audit = look(SPACE, budget={"seconds": 1})
    assert [histogram.name for histogram in audit.histograms][:2] == ["params", "flops_forward"]
    assert any("budget is time" in remark for remark in audit.remarks)
    assert audit.cheapest is not None
    assert "train_flops" not in audit.cheapest.costs


def test_the_size_of_a_vocabulary_that_is_learned_is_the_one_wanted():
    audit = look(SPACE, data={"tokenizer": {"kind": "bpe", "vocab_size": 300}})
    assert audit.cheapest is not None
    config = NANO | {"vocab_size": 300, "attention": {"kind": "multi_query"}, "activation": "gelu"}
    assert audit.cheapest.costs["params"] == model_cost(GPTConfig.model_validate(config)).params
    assert any("300" in remark for remark in audit.remarks)


@pytest.mark.parametrize("recipe", sorted(list_recipes()))
def test_every_shipped_experiment_can_be_audited(recipe):
    audit = run_audit(load_experiment(recipe), 300, measure_seconds=None)
    assert audit.feasible.examined > 0
    for histogram in audit.histograms:
        assert sum(one.feasible + one.infeasible for one in histogram.bins) == audit.valid.examined
        edges = [one.low for one in histogram.bins] + [histogram.bins[-1].high]
        assert all(math.isfinite(edge) for edge in edges)
        assert edges == sorted(edges)


def test_nothing_loads_torch(tmp_path):
    program = (
        "import sys; from experiments.audit.run import run_audit, write_audit; "
        "write_audit(run_audit('demo', 50, measure_seconds=None), sys.argv[1]); "
        "sys.exit('torch' in sys.modules or 'optuna' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "here"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
