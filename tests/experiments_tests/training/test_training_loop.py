import math
from typing import Any

import pytest
import torch
from tiny_trainings import begin, tiny, train
from torch import Tensor

from experiments.data.tokens import Tokens
from experiments.training.evaluate import measure_validation_loss
from experiments.training.loop import DivergedError, Training
from gpt_zoo.model import GPTModel


def losses(training: Training) -> list[tuple[float | None, float | None]]:
    return [(point.train_loss, point.validation_loss) for point in training.spent.curve]


def gradients_of_first_step(tokens: Tokens, **arguments: Any) -> tuple[dict[str, Tensor], float]:
    """What the optimizer is given in the first step, and that step's loss."""
    training = begin(tokens, budget={"steps": 1}, **arguments)
    seen: dict[str, Tensor] = {}

    def look(*_: Any) -> None:
        for name, parameter in training.model.named_parameters():
            assert parameter.grad is not None
            seen[name] = parameter.grad.clone()

    training.engine.optimizers[0].register_step_pre_hook(look)
    loss = training.run(_Quiet()).curve[0].train_loss
    assert loss is not None
    return seen, loss


class _Quiet:
    def update(self, done: float, note: str = "") -> None: ...


def test_the_same_seed_gives_the_same_curve_to_the_last_bit(tokens: Tokens) -> None:
    config = tiny(drop_rate=0.2)
    first, second = train(tokens, config), train(tokens, config)
    assert losses(first) == losses(second)
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_seed_gives_another_curve(tokens: Tokens) -> None:
    first, second = train(tokens, seed=1), train(tokens, seed=2)
    assert all(one != other for one, other in zip(losses(first), losses(second), strict=True))


def test_it_learns_text(tokens: Tokens) -> None:
    curve = train(tokens, budget={"steps": 120}, batch_size=16, learning_rate=1e-2).spent.curve
    assert curve[-1].validation_loss is not None
    assert curve[-1].validation_loss < 0.6 * math.log(256)
    held_out = [point.validation_loss for point in curve]
    assert held_out == sorted(held_out, reverse=True)


def test_two_batches_of_four_are_one_of_eight(tokens: Tokens) -> None:
    eight, loss_of_eight = gradients_of_first_step(tokens, batch_size=8, gradient_clip=None)
    twice, loss_of_twice = gradients_of_first_step(
        tokens, batch_size=4, gradient_accumulation=2, gradient_clip=None
    )
    assert loss_of_twice == pytest.approx(loss_of_eight, rel=1e-6)
    for name, gradient in eight.items():
        torch.testing.assert_close(twice[name], gradient, rtol=1e-4, atol=1e-7)


def test_clipping_bounds_the_norm_and_keeps_the_direction(tokens: Tokens) -> None:
    whole, _ = gradients_of_first_step(tokens, gradient_clip=None)
    clipped, _ = gradients_of_first_step(tokens, gradient_clip=1e-3)
    flat = torch.cat([gradient.flatten() for gradient in whole.values()])
    short = torch.cat([gradient.flatten() for gradient in clipped.values()])
    assert flat.norm() > 0.01
    assert short.norm().item() == pytest.approx(1e-3, rel=1e-3)
    assert torch.cosine_similarity(flat, short, dim=0).item() == pytest.approx(1, abs=1e-5)


def test_dropout_acts_in_training_only(tokens: Tokens) -> None:
    training = train(tokens, tiny(drop_rate=0.5), budget={"steps": 2})
    model = training.model
    assert model.training
    ids = torch.arange(16)[None]
    assert not torch.equal(model(ids), model(ids))
    held_out = [measure_validation_loss(model, tokens.validation, 4) for _ in range(2)]
    assert held_out[0] == held_out[1] == training.spent.curve[-1].validation_loss
    assert model.training


def test_the_validation_loss_is_the_mean_log_softmax_of_every_token_but_the_first(tokens: Tokens) -> None:
    model = GPTModel(tiny()).eval()
    ids = torch.tensor(tokens.validation.astype("int64"))
    total = 0.0
    for start in range(0, len(ids) - 1, 16):
        window = ids[start : start + 17]
        with torch.no_grad():
            logits = model(window[None, :-1])[0].double()
        for row, target in zip(logits, window[1:], strict=True):
            total += math.log(sum(math.exp(value) for value in row.tolist())) - row[target].item()
    by_hand = total / (len(ids) - 1)
    for batch_size in (1, 4, 1000):
        measured = measure_validation_loss(model, tokens.validation, batch_size)
        assert measured == pytest.approx(by_hand, rel=1e-6)


def test_every_context_length_predicts_the_same_tokens(tokens: Tokens) -> None:
    def targets(context_length: int) -> list[int]:
        seen: list[int] = []
        model = GPTModel(tiny(context_length=context_length))
        model.token_table.register_forward_pre_hook(
            lambda _, inputs: seen.extend(inputs[0].flatten().tolist())
        )
        measure_validation_loss(model, tokens.validation, 3)
        return seen

    # The inputs of windows that stand end to end are the text; what follows each is its target.
    text = tokens.validation[:-1].tolist()
    assert targets(16) == targets(7) == text


def test_bfloat16_computes_nearly_the_same_and_keeps_its_weights(tokens: Tokens) -> None:
    exact, rounded = train(tokens), train(tokens, precision="bfloat16")
    assert all(parameter.dtype == torch.float32 for parameter in rounded.model.parameters())
    for one, other in zip(losses(exact), losses(rounded), strict=True):
        assert one != other
        assert one == pytest.approx(other, rel=0.02)


@pytest.mark.parametrize(
    ("steps", "evaluations", "at"),
    [
        (6, 3, [2, 4, 6]),
        (5, 5, [1, 2, 3, 4, 5]),  # 3/5 of 5 is a bit below 3 in floating point
        (10, 4, [3, 5, 8, 10]),
        (3, 8, [1, 2, 3]),
        (7, 1, [7]),
    ],
)
def test_points_of_the_curve_are_evenly_spread_and_the_last_is_at_the_end(
    tokens: Tokens, steps: int, evaluations: int, at: list[int]
) -> None:
    curve = train(tokens, budget={"steps": steps}, evaluations=evaluations).spent.curve
    assert [point.step for point in curve] == at
    assert [point.tokens for point in curve] == [step * 4 * 16 for step in at]


def test_each_point_has_the_mean_training_loss_since_the_one_before(tokens: Tokens) -> None:
    every_step = train(tokens, budget={"steps": 6}, evaluations=6).spent.curve
    every_third = train(tokens, budget={"steps": 6}, evaluations=2).spent.curve
    single = [point.train_loss or math.nan for point in every_step]
    assert every_third[0].train_loss == pytest.approx(sum(single[:3]) / 3)
    assert every_third[1].train_loss == pytest.approx(sum(single[3:]) / 3)
    assert every_third[1].validation_loss == every_step[-1].validation_loss


def test_the_learning_rate_of_each_step_follows_the_schedule(tokens: Tokens) -> None:
    training = begin(
        tokens, budget={"steps": 4}, warmup_fraction=0.5, learning_rate=1.0, final_learning_rate_fraction=0.0
    )
    rates: list[float] = []
    optimizer = training.engine.optimizers[0]
    optimizer.register_step_pre_hook(lambda *_: rates.append(optimizer.param_groups[0]["lr"]))
    training.run(_Quiet())
    assert rates == pytest.approx([0.5, 1.0, 0.5, 0.0])


def test_a_loss_that_is_no_number_ends_the_training(tokens: Tokens) -> None:
    training = begin(tokens, learning_rate=1e30, budget={"steps": 50})
    with pytest.raises(DivergedError, match=r"loss became (nan|inf) at step \d+"):
        training.run(_Quiet())
    assert training.spent.step < 50
