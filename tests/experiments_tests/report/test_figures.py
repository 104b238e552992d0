import itertools

import pytest
from matplotlib.figure import Figure
from report_runs import NASTY, make_record, mixed_records

from experiments.report.axes import nice_ticks, short_number
from experiments.report.curves_figure import curve_lines, draw_curves
from experiments.report.figures import draw_pictures
from experiments.report.front_figure import front_panels
from experiments.report.importances_figure import importance_bars
from experiments.report.placement import Label, place_labels, spread
from experiments.tables import curves_table, summary_table, trials_table

OBJECTIVES = ["validation_loss", "train_flops", "tokens_per_second"]


def draw(records: list) -> list:  # type: ignore[type-arg]
    trials, summary = trials_table(records, OBJECTIVES), summary_table(records, OBJECTIVES)
    shares = {"validation_loss": {"emb_dim": 0.8, "n_layers": 0.2}}
    pictures = draw_pictures(trials, curves_table(records), summary, shares, OBJECTIVES)
    return [*pictures.front, *pictures.curves, *pictures.importances]


def test_a_panel_a_cost_with_its_own_line() -> None:
    records = [*mixed_records(), make_record(6, 3.1, 10**12, memory_bytes=2**20)]
    panels = front_panels(trials_table(records), summary_table(records), ["validation_loss", "train_flops"])
    assert [panel.cost.name for panel in panels] == ["train_flops", "memory_bytes", "params"]
    by_flops = panels[0].points
    assert by_flops["name"].tolist() == ["variant-6", "trial 2", "trial 1", "trial 0"]
    assert by_flops["on_line"].tolist() == [True, False, False, True]
    assert by_flops["on_front"].tolist() == [True, False, False, True]
    assert len(panels[0].trainings) == 4


def test_curves_of_complete_trainings_only() -> None:
    records = mixed_records()
    lines = curve_lines(trials_table(records), curves_table(records), summary_table(records))
    assert set(lines["trial"]) == {0, 1, 2}
    assert lines[lines["on_front"]]["name"].unique().tolist() == ["trial 0", "trial 2"]
    assert draw_curves(lines.iloc[:0]) == []


def test_importances_come_with_the_largest_first() -> None:
    bars = importance_bars({"validation_loss": {"a": 0.1, "b": 0.9}, "params": {"c": None}})
    assert bars["value"].tolist() == ["b", "a"]
    assert importance_bars({}).empty


def test_the_same_records_are_drawn_the_same() -> None:
    assert draw(mixed_records()) == draw(mixed_records())


def test_pictures_stand_alone() -> None:
    names = []
    for picture in draw([make_record(0, variant=NASTY), *mixed_records()[1:]]):
        text = picture.svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "http" not in text
        assert "<script" not in text
        assert "<style" not in text
        assert "metadata" not in text
        names.append(picture.name)
    assert len(set(names)) == len(names) == 6


def test_points_say_what_was_chosen() -> None:
    front = draw(mixed_records())[0]
    assert (
        "<title>trial 0: 3.000 nats/token at 4.00 TFLOP; emb_dim=128 attention=grouped_query</title>"
        in front.svg
    )


@pytest.mark.parametrize(
    ("name", "low", "high", "texts"),
    [
        ("train_flops", 1e12, 2e13, ["1 T", "2 T", "5 T", "10 T", "20 T"]),
        ("memory_bytes", 60 * 2**20, 600 * 2**20, ["64 MiB", "128 MiB", "256 MiB", "512 MiB"]),
        ("params", 1.1e6, 1.9e6, ["1.2 M", "1.4 M", "1.6 M", "1.8 M"]),
        ("params", 10, 1e9, ["10", "1 k", "100 k", "10 M", "1 B"]),
    ],
)
def test_ticks_are_round_in_their_unit(name: str, low: float, high: float, texts: list[str]) -> None:
    assert [short_number(name, tick) for tick in nice_ticks(name, low, high, logarithmic=True)] == texts


def test_labels_that_do_not_fit_are_left_out() -> None:
    axes = Figure(figsize=(4, 3)).add_subplot()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    crowd = [Label(0.5, 0.5 + index / 1000, f"a long label {index}") for index in range(40)]
    written = place_labels(axes, crowd, [(label.x, label.y) for label in crowd])
    assert 1 <= len(written) < 40
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_spreading_keeps_order_and_distance() -> None:
    assert spread([50.0, 20.0, 20.0], 10, 0, 100) == [50.0, 15.0, 25.0]
    assert spread([0.0, 0.0], 10, 0, 100) == [0.0, 10.0]
    assert spread([99.0, 100.0], 10, 0, 100) == [90.0, 100.0]
    assert spread([1.0, 1.0, 1.0], 80, 0, 100) == [0.0, 50.0, 100.0]
    assert spread([], 10, 0, 100) == []
