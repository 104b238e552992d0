"""Generation: which token comes next."""

import math
import re
from typing import Any

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import given, settings
from hypothesis import strategies as st
from model_probes import random_ids
from torch import Tensor
from torch.nn import functional as F

from gpt_zoo import GPTConfig, GPTModel, Sampling, generate, generate_stream, pad_left


def lively(config: GPTConfig) -> GPTModel:
    """A model that says many different things: its matrices are large, what it adds to every token is not."""
    model = GPTModel(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.5)
    return model


def small_model(**fields: Any) -> GPTModel:
    small = {"vocab_size": 23, "context_length": 5, "emb_dim": 12, "n_heads": 2, "n_layers": 2}
    return lively(GPTConfig.model_validate(small | fields))


def model_with_logits(logits: list[float]) -> GPTModel:
    """A model whose logits are always these: the head turns them out of the constant of the final norm."""
    model = small_model(vocab_size=len(logits)).float()
    with torch.no_grad():
        model.final_norm.scale.zero_()
        model.final_norm.shift.copy_(F.one_hot(torch.tensor(0), 12))
        model.head.weight[:, 0] = torch.tensor(logits)
    return model


def greedy(model: GPTModel, ids: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        logits = model(ids[:, -model.config.context_length :])
        ids = torch.cat([ids, logits[:, -1].argmax(-1)[:, None]], dim=1)
    return ids


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_greedy_takes_the_likeliest_token_also_beyond_the_context(slot: str, kind: str) -> None:
    model = lively(config_with(slot, kind))
    ids = random_ids(model.config, batch=3, time=4)
    continued = generate(model, ids, 30, temperature=0)  # the context is 13
    assert torch.equal(continued, greedy(model, ids, 30))
    assert continued[:, 4:].unique().numel() > 3, "a model that repeats one token would prove nothing"


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 1},
        {"top_p": 1e-9},
        {"temperature": 1e-6},
        {"temperature": 1e-300},
        {"top_k": 3, "top_p": 1e-9},
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_choice_of_one_is_greedy(options: dict[str, Any], seed: int) -> None:
    model = small_model()
    ids = random_ids(model.config, batch=3)
    assert torch.equal(generate(model, ids, 12, seed=seed, **options), greedy(model, ids, 12))


@pytest.mark.parametrize("options", [{"top_k": 23}, {"top_k": 1000}, {"top_p": 1.0}, {"temperature": 1.0}])
def test_options_that_exclude_nothing_change_nothing(options: dict[str, Any]) -> None:
    model = small_model()
    ids = random_ids(model.config)
    assert torch.equal(generate(model, ids, 12, seed=5, **options), generate(model, ids, 12, seed=5))


def test_a_prompt_longer_than_the_context_is_kept_and_its_end_is_read() -> None:
    model = small_model()
    ids = random_ids(model.config, time=9)
    continued = generate(model, ids, 4, seed=3)
    assert torch.equal(continued[:, :9], ids)
    assert torch.equal(generate(model, ids[:, -5:], 4, seed=3)[:, 5:], continued[:, 9:])


def test_a_seed_repeats_a_draw_and_another_does_not() -> None:
    model = small_model()
    ids = random_ids(model.config)
    draws = [generate(model, ids, 20, temperature=2.0, seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    unseeded = [generate(model, ids, 20, temperature=2.0) for _ in range(2)]
    assert not torch.equal(*unseeded)


def test_a_draw_neither_reads_nor_moves_the_global_generator() -> None:
    model = small_model(drop_rate=0.5)
    ids = random_ids(model.config)
    state = torch.get_rng_state()
    first = generate(model, ids, 20, seed=1)
    assert torch.equal(torch.get_rng_state(), state), "training would go on with other dropout"
    torch.manual_seed(99)
    assert torch.equal(generate(model, ids, 20, seed=1), first)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_off_meanwhile_and_the_mode_is_restored(training: bool) -> None:
    model = small_model(drop_rate=0.9)
    expected = greedy(model, ids := random_ids(model.config), 10)
    model.train(training)
    assert torch.equal(generate(model, ids, 10, temperature=0), expected)
    assert all(module.training == training for module in model.modules())


def test_what_was_generated_can_be_trained_on() -> None:
    model = small_model()
    ids = generate(model, random_ids(model.config, time=2), 3)
    model(ids).sum().backward()
    assert model.head.weight.grad is not None


def test_nothing_to_generate_gives_the_prompt() -> None:
    model = small_model()
    ids = random_ids(model.config)
    assert torch.equal(generate(model, ids, 0), ids)


@given(st.integers(1, 23), st.floats(0.1, 10.0))
@settings(max_examples=20)
def test_no_token_is_drawn_from_outside_of_the_top_k(top_k: int, temperature: float) -> None:
    model = small_model()
    ids = random_ids(model.config, batch=4, time=2)
    continued = generate(model, ids, 8, top_k=top_k, temperature=temperature)
    for time in range(2, 10):
        logits = model(continued[:, max(0, time - 5) : time])[:, -1]
        likeliest = logits.topk(top_k).indices
        assert (likeliest == continued[:, time, None]).any(dim=1).all()


# Shuffled, so that a mistake about the order of the tokens shows.
PROBABILITIES = [0.15, 0.5, 0.05, 0.3]
LOGITS = [math.log(p) + 7 for p in PROBABILITIES]


def check_frequencies(expected: list[float], **options: Any) -> None:
    """Each token is drawn as often as it should be, within five standard deviations of a binomial draw."""
    draws = 20_000
    ids = generate(model_with_logits(LOGITS), torch.zeros(draws, 1, dtype=torch.long), 1, seed=1, **options)
    shares = ids[:, 1].bincount(minlength=4) / draws
    for share, probability in zip(shares.tolist(), expected, strict=True):
        assert abs(share - probability) <= 5 * math.sqrt(probability * (1 - probability) / draws)


def test_tokens_are_drawn_as_often_as_their_probability_says() -> None:
    check_frequencies(PROBABILITIES)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_is_a_power_of_the_probabilities(temperature: float) -> None:
    powers = [p ** (1 / temperature) for p in PROBABILITIES]
    check_frequencies([p / sum(powers) for p in powers], temperature=temperature)


def test_top_k_renormalises_the_likeliest() -> None:
    check_frequencies([0, 5 / 8, 0, 3 / 8], top_k=2)


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [
        (0.49, [0, 1, 0, 0]),
        (0.51, [0, 5 / 8, 0, 3 / 8]),  # the token that crosses the line is still drawn
        (0.79, [0, 5 / 8, 0, 3 / 8]),
        (0.81, [15 / 95, 50 / 95, 0, 30 / 95]),
        (0.96, PROBABILITIES),
    ],
)
def test_top_p_keeps_the_fewest_that_reach_it(top_p: float, expected: list[float]) -> None:
    check_frequencies(expected, top_p=top_p)


def test_top_p_is_taken_of_what_top_k_and_temperature_left() -> None:
    # Of the two likeliest, 5/8 and 3/8, the first reaches 0.6 on its own; of all four it does not.
    check_frequencies([0, 1, 0, 0], top_k=2, top_p=0.6)
    check_frequencies([0, 5 / 8, 0, 3 / 8], top_p=0.6)
    # The squares 9 : 100 : 1 : 36 of all four: 100 / 146 = 0.68.
    check_frequencies([0, 1, 0, 0], temperature=0.5, top_p=0.6)


def test_equally_likely_tokens_are_kept_to_k() -> None:
    ids = generate(model_with_logits([1.0] * 6), torch.zeros(2000, 1, dtype=torch.long), 1, top_k=3, seed=1)
    assert ids[:, 1].unique().numel() == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": -1}, "`max_new_tokens` must not be negative, got -1"),
        ({"temperature": -0.5}, "`temperature` must be 0 or more, got -0.5; 0 takes the likeliest token"),
        ({"temperature": math.inf}, "`temperature` must be 0 or more, got inf"),
        ({"temperature": math.nan}, "`temperature` must be 0 or more, got nan"),
        ({"top_k": 0}, "`top_k` must be a whole number of at least 1, got 0; None draws among all tokens"),
        ({"top_k": 2.5}, "`top_k` must be a whole number of at least 1, got 2.5"),
        ({"top_k": True}, "`top_k` must be a whole number of at least 1, got True"),
        ({"top_p": 0.0}, "`top_p` must lie above 0 and up to 1, got 0.0"),
        ({"top_p": 1.5}, "`top_p` must lie above 0 and up to 1, got 1.5"),
        ({"top_p": math.nan}, "`top_p` must lie above 0 and up to 1, got nan"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str, without_shape_checks: None) -> None:
    model = small_model()
    with pytest.raises(ValueError, match=message):
        generate(model, random_ids(model.config), **{"max_new_tokens": 1} | options)


@given(gpt_configs(), st.data())
@settings(max_examples=40)
def test_with_a_cache_it_writes_what_it_writes_without(config: GPTConfig, data: st.DataObject) -> None:
    model = lively(config)
    lengths = data.draw(st.lists(st.integers(1, config.context_length), min_size=1, max_size=3))
    prompts = [random_ids(config, time=length)[0].tolist() for length in lengths]
    ids, mask = pad_left(prompts)
    steps = data.draw(st.integers(1, config.context_length + 3))
    options = {"attention_mask": mask, "seed": 7, "top_k": 3}
    cached = generate(model, ids, steps, **options)
    assert torch.equal(cached, generate(model, ids, steps, use_cache=False, **options))


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_a_batch_of_padded_prompts_is_each_prompt_on_its_own(slot: str, kind: str) -> None:
    model = lively(config_with(slot, kind))
    prompts = [random_ids(model.config, time=length)[0].tolist() for length in (7, 1, 4)]
    ids, mask = pad_left(prompts, pad_id=5)
    together = generate(model, ids, 25, attention_mask=mask, temperature=0)  # beyond the context of 19
    for row, prompt in enumerate(prompts):
        alone = generate(model, torch.tensor([prompt]), 25, temperature=0)[0]
        assert torch.equal(together[row, 7 - len(prompt) :], alone)


def test_a_stream_gives_the_same_tokens_one_by_one() -> None:
    model = small_model()
    ids = random_ids(model.config, batch=2)
    stream = generate_stream(model, ids, 12, sampling=Sampling(top_k=5), seed=3)
    first = next(stream)
    assert first.shape == (2, 1)
    whole = torch.cat([ids, first, *stream], dim=1)
    assert torch.equal(whole, generate(model, ids, 12, top_k=5, seed=3))


def test_a_sequence_ends_at_a_stop_token_and_the_batch_with_its_last() -> None:
    model = model_with_logits([0.0, 0.0, 0.0])
    ids = torch.zeros(64, 1, dtype=torch.long)
    written = generate(model, ids, 200, stop_ids={2}, seed=1)
    assert written.size(1) < 201, "all have ended long before"
    for row in written[:, 1:].tolist():
        end = row.index(2)
        assert set(row[end:]) == {2}, "behind its end a sequence repeats its last token"
    lengths = [row.index(2) for row in written[:, 1:].tolist()]
    assert written.size(1) == max(lengths) + 2
    # A third of the draws ends a sequence: 2 tokens before it on average, with a spread of sqrt(6 / 64).
    assert abs(sum(lengths) / 64 - 2) < 5 * math.sqrt(6 / 64)


@pytest.mark.parametrize(
    ("min_p", "expected"),
    [
        (0.0, PROBABILITIES),
        (0.2, [15 / 95, 50 / 95, 0, 30 / 95]),  # at least 0.1
        (0.5, [0, 5 / 8, 0, 3 / 8]),  # at least 0.25
        (1.0, [0, 1, 0, 0]),
    ],
)
def test_min_p_keeps_what_is_likely_beside_the_likeliest(min_p: float, expected: list[float]) -> None:
    check_frequencies(expected, min_p=min_p)


def test_no_prompt_to_pad() -> None:
    with pytest.raises(ValueError, match="each sequence needs at least one token"):
        pad_left([[1], []])


def test_a_wrong_option_is_told_before_the_first_token() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        generate_stream(small_model(), torch.zeros(1, 1, dtype=torch.long), -1)


def test_what_was_frozen_stays_frozen() -> None:
    model = small_model(drop_rate=0.5).train()
    model.blocks[0].eval()
    before = [module.training for module in model.modules()]
    stream = generate_stream(model, random_ids(model.config), 4, seed=1)
    next(stream)
    assert not any(module.training for module in model.modules())
    stream.close()  # as when the reader has seen enough
    assert [module.training for module in model.modules()] == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 2**70}, "`seed` must be a number of 64 bits, got 1180591620717411303424; try 0"),
        ({"attention_mask": torch.tensor([[1, 0]])}, "padding must stand to the left"),
        (
            {"attention_mask": torch.tensor([[0.0, -1e9]])},
            "got torch.float32; try mask == 0 for one that is added",
        ),
    ],
)
def test_wrong_arguments_are_told_before_the_first_token(
    options: dict[str, Any], message: str, without_shape_checks: None
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        generate_stream(small_model(), torch.zeros(1, 2, dtype=torch.long), 3, **options)
    with pytest.raises(ValueError, match="token ids must lie in 0 to 22, got 23"):
        generate_stream(small_model(), torch.tensor([[23]]), 3)
