"""Points of a space as numbers."""

import math

import numpy as np
import pandas as pd
import pytest

from experiments.search.cost_aware.features import build_features

NO_COSTS = pd.DataFrame(index=range(3))


def features(**chosen: list[object]) -> list[list[float]]:
    """Columns, as lists."""
    table = pd.DataFrame({name: pd.Series(values, dtype="object") for name, values in chosen.items()})
    return [list(column) for column in build_features(table, NO_COSTS.reindex(table.index)).T]


def test_numbers_are_scaled_and_wide_ones_in_logarithms() -> None:
    assert features(n_layers=[4, 5, 8]) == [[0.0, 0.25, 1.0]]
    (widths,) = features(emb_dim=[64, 128, 256])
    assert widths == pytest.approx([0.0, 0.5, 1.0])


def test_options_without_an_order_have_a_feature_each() -> None:
    assert features(activation=["gelu", "relu", "silu"]) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    # Of two options one feature says all; booleans are options.
    assert features(bias=[True, False, True]) == [[0.0, 1.0, 0.0]]


def test_what_is_not_asked_for_is_in_the_middle() -> None:
    kinds, heads = features(kind=["multi", "grouped", "grouped"], n_kv_heads=[None, 1, 2])
    assert kinds == [0.0, 1.0, 1.0]
    assert heads == [0.5, 0.0, 1.0]


def test_what_says_nothing_is_left_out() -> None:
    assert features(a=[1, 2, 4], same=[3, 3, 3], double=[2, 4, 8]) == features(a=[1, 2, 4])
    assert features(same=[3, 3, 3]) == [[0.0, 0.0, 0.0]]


def test_layers_are_told_by_their_mean_and_their_trend() -> None:
    points = [(1, 1, 1), (1, 2, 3), (3, 2, 1), (3, 3, 3)]
    chosen = {f"layers[{layer}].n_heads": [point[layer] for point in points] for layer in range(3)}
    mean, trend = features(**chosen)
    # As logarithms, since they differ threefold: of 1·2·3 the third root.
    middle = math.log(6) / 3 / math.log(3)
    assert mean == pytest.approx([0, middle, middle, 1])
    assert trend == pytest.approx([0.5, 1, 0, 0.5])


def test_costs_that_are_known_are_features() -> None:
    costs = pd.DataFrame({"params": [10.0, 100.0, 1000.0], "flops_forward": [1.0, np.nan, 3.0]})
    table = build_features(pd.DataFrame({"x": [2, 1, 2]}), costs)
    assert table == pytest.approx(np.array([[0, 1], [0.5, 0], [1, 1]]))
