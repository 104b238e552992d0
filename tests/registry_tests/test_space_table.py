"""The table of a space says of each point what the point itself says, one by one."""

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt_zoo.config.canonical import canonical, hash_config
from gpt_zoo.cost.model import model_cost
from registry.costing.points import choose_points
from registry.costing.rules import name_rule
from registry.costing.table import PARAMETER, space_table
from registry.errors import DeclarationError
from registry.space import SearchSpace, resolve_space
from registry.walk import assignment_at

sys.path.append(str(Path(__file__).parents[1] / "gpt_zoo_tests"))
from config_strategies import gpt_config_fields

NANO = {"vocab_size": 61, "context_length": 16, "emb_dim": 24, "n_heads": 4, "n_layers": 2}


def different(options: list[Any]) -> list[Any]:
    return [option for place, option in enumerate(options) if option not in options[:place]]


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """The values of three configs, mixed key by key: many points break rules between keys."""
    drawn = [draw(gpt_config_fields()) for _ in range(3)]
    searched = draw(st.sets(st.sampled_from(sorted(drawn[0])), min_size=1, max_size=5))
    tree = {
        key: {"choice": different([config[key] for config in drawn])} if key in searched else value
        for key, value in drawn[0].items()
    }
    try:
        return resolve_space(tree)
    except DeclarationError:  # a value that no config can have
        return resolve_space({**NANO, "n_layers": {"int": {"low": 1, "high": 2}}})


def point_by_point(space: SearchSpace) -> list[Any]:
    points = []
    for parameters in space.enumerate():
        try:
            points.append(space.variant(parameters).config)
        except DeclarationError as error:
            points.append(sorted((problem.path, problem.message) for problem in error.problems))
    return points


@settings(max_examples=60)
@given(spaces())
def test_the_table_equals_the_way_point_by_point(space):
    tabulated = space_table(space)
    table, one_by_one = tabulated.table, point_by_point(space)
    assert len(table) == space.size == len(one_by_one)
    for point, config in enumerate(one_by_one):
        row = table.loc[point]
        assert row["valid"] == (not isinstance(config, list))
        if isinstance(config, list):
            assert sorted(tuple(broken) for broken in tabulated.broken[point]) == config
            continue
        assert row["config_hash"] == hash_config(config.model_dump(mode="json"))
        assert row["canonical_hash"] == hash_config(canonical(config).model_dump(mode="json"))
        for name, value in vars(model_cost(config)).items():
            assert row[name] == value, name


@pytest.fixture
def space() -> SearchSpace:
    return resolve_space(
        {
            **NANO,
            "n_heads": {"choice": [2, 4, 5]},
            "attention": {
                "choice": [
                    {"kind": "multi_head"},
                    {"kind": "grouped_query", "n_kv_heads": {"choice": [1, 2]}},
                ]
            },
            "activation": {"choice": ["gelu", "relu"]},
        }
    )


def test_rows_come_in_the_order_of_the_enumeration(space):
    table = space_table(space).table
    for point, parameters in enumerate(space.enumerate()):
        told = {name: table.loc[point, PARAMETER + name] for name in parameters}
        assert told == parameters
        assert assignment_at(space.tree, point) == parameters


def test_rules_are_the_same_for_all_points_that_break_them(space):
    # 5 heads divide no width of 24: 6 points; and 5 is no multiple of 2: of those, 2 break two rules
    tabulated = space_table(space)
    assert [len(broken) for broken in tabulated.broken.values()] == [1, 1, 1, 1, 2, 2]
    rules = {name_rule(broken) for told in tabulated.broken.values() for broken in told}
    assert rules == {
        "n_heads: `emb_dim` must be a multiple of `n_heads`",
        "attention.n_kv_heads: `n_heads` must be a multiple of `n_kv_heads`",
    }


def test_what_is_fixed_is_the_same_for_all(space):
    layered = resolve_space(
        {
            **NANO,
            "vocab_size": {"choice": [50, 60]},
            "layers": {"choice": [[{"drop_rate": 0.5}, {}], [{"drop_rate": 0.2}, {}]]},
        }
    )
    free = space_table(layered).table
    assert free["canonical_hash"].nunique() == 4
    fixed = space_table(layered, fixed={"vocab_size": 256, "drop_rate": 0.1}).table
    assert fixed["canonical_hash"].nunique() == 1
    assert set(fixed["params"]) == {
        model_cost(layered.variant(next(layered.enumerate())).config).params + 2 * 206 * 24
    }


def test_a_sample_has_no_point_twice_and_is_the_same_for_the_same_seed(space):
    ten, again, other = (choose_points(space, 10, seed) for seed in (1, 1, 2))
    drawn = [tuple(ten.parameters(point).items()) for point in range(10)]
    assert len(set(drawn)) == 10
    assert set(drawn) <= {tuple(parameters.items()) for parameters in space.enumerate()}
    assert drawn == [tuple(again.parameters(point).items()) for point in range(10)]
    assert drawn != [tuple(other.parameters(point).items()) for point in range(10)]
    assert (ten.sampled, choose_points(space, 18, 0).sampled) == (True, False)
    with pytest.raises(ValueError, match="at least 1 point, got 0"):
        choose_points(space, 0, 0)


def test_all_points_of_a_space_are_as_likely():
    # an option with 9 points inside has 9 of 10 points
    inner = {"kind": "multi_head", "window": {"int": {"low": 1, "high": 9}}}
    wide = {"int": {"low": 1, "high": 1000}}
    space = resolve_space(
        {**NANO, "attention": {"choice": [inner, {"kind": "multi_query"}]}, "n_layers": wide}
    )
    table = space_table(space, 2000, seed=3, measures=()).table
    share = (table[PARAMETER + "attention"] == "multi_head").mean()
    assert abs(share - 0.9) < 4 * np.sqrt(0.09 / 2000)


def test_an_endless_space_is_drawn_from():
    ends = {"low": 0.001, "high": 0.1, "log": True}
    space = resolve_space({**NANO, "drop_rate": {"float": ends}, "n_layers": {"int": {"low": 1, "high": 8}}})
    points = choose_points(space, 500, 0)
    assert (points.size, points.sampled, points.number) == (None, True, 500)
    table = space_table(space, 500).table
    assert table["valid"].all()
    assert table[PARAMETER + "drop_rate"].between(0.001, 0.1).all()
    assert 0.3 < (table[PARAMETER + "drop_rate"] < 0.01).mean() < 0.7
    assert table["params"].nunique() == 8
    assert set(itertools.chain(*(point for point in [table[PARAMETER + "n_layers"]]))) == set(range(1, 9))


def test_a_space_larger_than_any_machine_can_count():
    sizes = {"int": {"low": 1, "high": 2**31}}
    space = resolve_space(
        {**NANO, "vocab_size": sizes, "context_length": sizes, "n_heads": 1, "emb_dim": sizes}
    )
    table = space_table(space, 50).table
    assert space.size == 2**93
    assert table["valid"].all()
    assert (table["params"] > 2**31).any()
