import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.batches import TrainBatches, validation_windows
from experiments.data.config import DataConfig
from experiments.data.errors import DataError
from experiments.data.tokens import load_tokens

lengths = st.integers(2, 300)
contexts = st.integers(1, 40)
sizes = st.integers(1, 50)


@given(length=lengths, context=contexts, size=sizes)
def test_each_token_but_the_first_is_evaluated_once(length, context, size):
    tokens = np.arange(1000, 1000 + length, dtype=np.uint16)
    targets = []
    for inputs, expected in validation_windows(tokens, context, size):
        assert inputs.dtype == expected.dtype == np.int64
        assert inputs.shape == expected.shape
        assert inputs.shape[0] <= size
        assert inputs.shape[1] <= context
        np.testing.assert_array_equal(inputs + 1, expected)
        targets.extend(expected.ravel())
    assert targets == list(range(1001, 1000 + length))


def test_the_rest_is_a_window_of_its_own():
    shapes = [inputs.shape for inputs, _ in validation_windows(np.arange(25), 4, 4)]
    assert shapes == [(4, 4), (2, 4)]
    shapes = [inputs.shape for inputs, _ in validation_windows(np.arange(24), 4, 4)]
    assert shapes == [(4, 4), (1, 4), (1, 3)]


@given(length=lengths, context=contexts, seed=st.integers(0, 2**32), epoch=st.integers(0, 3))
def test_an_epoch_visits_each_window_once(length, context, seed, epoch):
    length += context
    batches = TrainBatches(np.arange(length, dtype=np.uint16), context, seed)
    count = batches.windows_per_epoch
    rows = batches.windows(epoch * count, count)
    for row in rows:
        np.testing.assert_array_equal(row, np.arange(row[0], row[0] + context + 1))
    starts = sorted(rows[:, 0].tolist())
    assert 0 <= starts[0] < context
    assert np.diff(starts).tolist() == [context] * (count - 1)
    assert length - 1 - (starts[-1] + context) < 2 * context


@given(
    length=lengths,
    context=contexts,
    seed=st.integers(0, 2**32),
    counts=st.lists(sizes, min_size=1, max_size=9),
)
def test_batches_of_any_sizes_are_cuts_of_one_order(length, context, seed, counts):
    tokens = np.random.default_rng(seed).integers(0, 60_000, length + context, dtype=np.uint16)
    whole = TrainBatches(tokens, context, seed).windows(0, sum(counts))
    cut, first = TrainBatches(tokens, context, seed), 0
    for count in counts:
        np.testing.assert_array_equal(cut.windows(first, count), whole[first : first + count])
        first += count


@given(first=st.integers(0, 3000), count=sizes)
def test_a_resumed_training_goes_on_from_any_window(first, count):
    tokens = np.arange(5000, dtype=np.uint16)  # 714 windows an epoch
    uninterrupted = TrainBatches(tokens, 7, seed=5).windows(0, 3050)
    resumed = TrainBatches(tokens, 7, seed=5).windows(first, count)
    np.testing.assert_array_equal(resumed, uninterrupted[first : first + count])


def test_the_order_follows_from_the_seed():
    tokens = np.arange(5000, dtype=np.uint16)
    orders = [TrainBatches(tokens, 7, seed).windows(0, 100) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


def test_windows_keep_the_type_of_their_tokens():
    for kept in (np.uint16, np.uint32):
        windows = TrainBatches(np.arange(100, dtype=kept), 7, seed=0).windows(3, 5)
        assert windows.shape == (5, 8)
        assert windows.dtype == kept
        assert windows.flags.c_contiguous


def test_epochs_differ_in_phase_and_order():
    batches = TrainBatches(np.arange(1000), 10, seed=1)
    assert batches.windows_per_epoch == 99
    epochs = [batches.windows(99 * epoch, 99)[:, 0] for epoch in range(20)]
    assert len({epoch.min() for epoch in epochs}) > 5
    assert not np.array_equal(np.argsort(epochs[0]), np.argsort(epochs[1]))


def test_a_batch_larger_than_the_text_goes_through_it_again():
    windows = TrainBatches(np.arange(6), 5, seed=0).windows(12, 4)
    assert windows.tolist() == [[0, 1, 2, 3, 4, 5]] * 4


def test_no_window_holds_validation_text(poems):
    corpus = {"kind": "text", "paths": [str(poems(30))]}
    config = {"corpus": corpus, "tokenizer": {"kind": "bytes"}, "validation_fraction": 0.3}
    tokens = load_tokens(DataConfig.model_validate(config))
    held_out = re.findall(rb"Ode \d+, line \d+", tokens.validation.astype(np.uint8).tobytes())
    assert len(held_out) == 20 * tokens.validation_documents > 20
    batches = TrainBatches(tokens.train, 64, seed=0)
    seen = {
        line
        for window in batches.windows(0, 3 * batches.windows_per_epoch)
        for line in re.findall(rb"Ode \d+, line \d+", window.astype(np.uint8).tobytes())
    }
    assert len(seen) > 10 * tokens.train_documents
    assert seen.isdisjoint(held_out)


def test_windows_of_a_large_file_may_be_announced_to_its_last_page(tmp_path):
    count = 1 << 27  # of two bytes each: too many to count on memory. On disk there is little but the end
    np.memmap(tmp_path / "train.bin", np.uint16, "w+", shape=(count,))[-5000:] = np.arange(5000)
    tokens = np.memmap(tmp_path / "train.bin", np.uint16, "r")
    batches = TrainBatches(tokens, 1 << 20, seed=3)
    last = int(np.argmax([batches.windows(number, 1)[0, -1] for number in range(batches.windows_per_epoch)]))
    batches.announce(last, 1)
    announced = TrainBatches(tokens, 1 << 20, seed=3).windows(last, 1)
    np.testing.assert_array_equal(announced, batches.windows(last, 1))


def test_a_text_shorter_than_a_window_is_refused():
    with pytest.raises(DataError, match="a context of 6 needs 7 tokens, but there are 6"):
        TrainBatches(np.arange(6), 6, seed=0)
