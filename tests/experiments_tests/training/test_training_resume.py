import os
import signal
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from tiny_trainings import InterruptedAt, begin, job_for, tiny, train

from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.training.loop import Training
from experiments.trial import run_trial
from gpt_zoo.checkpoint import load_checkpoint

BUDGET = {"steps": 9}
CONFIG = tiny(drop_rate=0.3)


def outcome(training: Training) -> tuple[list[tuple[Any, ...]], list[torch.Tensor]]:
    points = [
        (point.step, point.train_loss, point.validation_loss, point.tokens) for point in training.spent.curve
    ]
    return points, [parameter.detach() for parameter in training.model.parameters()]


def assert_same(one: Training, other: Training) -> None:
    (points, weights), (other_points, other_weights) = outcome(one), outcome(other)
    assert points == other_points
    for weight, other_weight in zip(weights, other_weights, strict=True):
        assert torch.equal(weight, other_weight)


def interrupt(training: Training) -> None:
    with pytest.raises(KeyboardInterrupt):
        training.run(Silent())
    training.save_state()


@pytest.mark.parametrize("tie_embeddings", [False, True])
@pytest.mark.parametrize("updates", [1, 4, 8])
def test_a_training_goes_on_as_if_nothing_had_happened(
    tokens: Tokens, tmp_path: Path, tie_embeddings: bool, updates: int
) -> None:
    config = tiny(drop_rate=0.3, tie_embeddings=tie_embeddings)
    whole = job_for(tokens, tmp_path / "whole", config, budget=BUDGET, save_weights=True)
    expected = run_trial(whole, Silent())
    job = job_for(tokens, tmp_path / "cut", config, budget=BUDGET, save_weights=True)
    with pytest.raises(KeyboardInterrupt):
        run_trial(job, InterruptedAt(updates))
    assert job.state.exists()
    record = run_trial(job, Silent())
    assert (record.validation_loss, record.train_loss) == (expected.validation_loss, expected.train_loss)
    assert [point.validation_loss for point in record.curve] == [
        point.validation_loss for point in expected.curve
    ]
    ended, cut = load_checkpoint(whole.weights), load_checkpoint(job.weights)
    for one, other in zip(ended.parameters(), cut.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_training_may_be_interrupted_again_and_again(tokens: Tokens, tmp_path: Path) -> None:
    expected = run_trial(job_for(tokens, tmp_path / "whole", CONFIG, budget=BUDGET), Silent())
    job = job_for(tokens, tmp_path / "cut", CONFIG, budget=BUDGET)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            run_trial(job, InterruptedAt(3))
    record = run_trial(job, Silent())
    assert record.validation_loss == expected.validation_loss
    assert (record.steps, record.tokens) == (9, 9 * 4 * 16)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_step_waits_for_its_end(
    tokens: Tokens, state: Path, number: signal.Signals
) -> None:
    training = begin(tokens, CONFIG, budget=BUDGET, state=state)
    steps = iter(range(9))

    def in_the_fourth(*_: Any) -> None:
        if next(steps) == 3:
            os.kill(os.getpid(), number)

    # Random numbers are drawn by then, but weights not changed yet: a state kept now would belong to no step.
    training.engine.optimizers[0].register_step_pre_hook(in_the_fourth)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        interrupt(training)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert training.spent.step == 4
    resumed = begin(tokens, CONFIG, budget=BUDGET, state=state)
    assert resumed.spent.step == 4
    resumed.run(Silent())
    assert_same(resumed, train(tokens, CONFIG, budget=BUDGET))


@pytest.mark.parametrize("evaluation", [1, 2, 3])
def test_an_evaluation_that_was_interrupted_is_made_up_for(
    tokens: Tokens, state: Path, evaluation: int
) -> None:
    training = begin(tokens, CONFIG, budget=BUDGET, state=state)

    def in_an_evaluation(*_: Any) -> None:
        if not training.model.training and training.spent.step == 3 * evaluation:
            os.kill(os.getpid(), signal.SIGINT)

    training.model.token_table.register_forward_hook(in_an_evaluation)
    interrupt(training)
    resumed = begin(tokens, CONFIG, budget=BUDGET, state=state)
    resumed.run(Silent())
    assert_same(resumed, train(tokens, CONFIG, budget=BUDGET))


def test_the_handlers_of_signals_are_as_before_after_a_training(tokens: Tokens) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    train(tokens)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_long_training_is_kept_now_and_then(tokens: Tokens, state: Path) -> None:
    training = begin(tokens, CONFIG, budget=BUDGET, state=state, checkpoint_seconds=1e-9)
    with pytest.raises(KeyboardInterrupt):  # and nobody keeps it at the end, as after a crash
        training.run(InterruptedAt(6))
    resumed = begin(tokens, CONFIG, budget=BUDGET, state=state)
    assert 0 < resumed.spent.step < 9
    resumed.run(Silent())
    assert_same(resumed, train(tokens, CONFIG, budget=BUDGET))


def kept(tokens: Tokens, state: Path, config: Any = CONFIG, **arguments: Any) -> None:
    training = begin(tokens, config, budget=BUDGET, state=state, **arguments)
    with pytest.raises(KeyboardInterrupt):
        training.run(InterruptedAt(5))
    training.save_state()


def cut_short(state: Path) -> None:
    state.write_bytes(state.read_bytes()[:-100])


def damage_header(state: Path) -> None:
    state.write_bytes(b"\xff" * 8 + state.read_bytes()[8:])


def empty(state: Path) -> None:
    state.write_bytes(b"")


def leave_out_a_moment(state: Path) -> None:
    with safetensors.safe_open(state, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    del tensors["random"]
    safetensors.torch.save_file(tensors, state, metadata=metadata)


def plain_weights(state: Path) -> None:
    safetensors.torch.save_file({"weight": torch.ones(2)}, state)


@pytest.mark.parametrize("harm", [cut_short, damage_header, empty, leave_out_a_moment, plain_weights])
def test_a_damaged_state_is_told_and_costs_no_more_than_itself(
    tokens: Tokens, state: Path, harm: Any
) -> None:
    kept(tokens, state)
    harm(state)
    with pytest.warns(UserWarning, match="does not hold this training.*starts anew"):
        training = begin(tokens, CONFIG, budget=BUDGET, state=state)
    training.run(Silent())
    assert_same(training, train(tokens, CONFIG, budget=BUDGET))


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"config": tiny(drop_rate=0.3, activation="relu")},  # the same shapes
        {"config": tiny(drop_rate=0.3, emb_dim=32)},
        {"learning_rate": 5e-3},
    ],
)
def test_the_state_of_another_training_is_not_taken_up(
    tokens: Tokens, state: Path, other: dict[str, Any]
) -> None:
    kept(tokens, state, **other)
    with pytest.warns(UserWarning, match="it is another training"):
        training = begin(tokens, CONFIG, budget=BUDGET, state=state)
    assert training.spent.step == 0
    training.run(Silent())
    assert_same(training, train(tokens, CONFIG, budget=BUDGET))


def test_how_often_it_is_kept_may_change(tokens: Tokens, state: Path) -> None:
    kept(tokens, state, checkpoint_seconds=5.0)
    assert begin(tokens, CONFIG, budget=BUDGET, state=state, checkpoint_seconds=7.0).spent.step > 0


def test_nothing_half_written_stays_beside_a_state(tokens: Tokens, state: Path) -> None:
    kept(tokens, state)
    assert [path.name for path in state.parent.iterdir()] == [state.name]
