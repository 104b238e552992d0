import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.batches import TrainBatches, validation_windows
from experiments.data.errors import DataError

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


@given(length=lengths, context=contexts, size=sizes, seed=st.integers(0, 2**32), data=st.data())
def test_an_epoch_visits_each_window_once(length, context, size, seed, data):
    length += context
    batches = TrainBatches(np.arange(length, dtype=np.uint16), context, size, seed)
    count = batches.windows_per_epoch
    epoch = data.draw(st.integers(0, 3))
    first, last = epoch * count, (epoch + 1) * count
    rows = [row for index in range(first // size, last // size + 1) for row in batches.batch(index)]
    rows = rows[first - first // size * size :][:count]
    for row in rows:
        np.testing.assert_array_equal(row, np.arange(row[0], row[0] + context + 1))
    starts = sorted(row[0] for row in rows)
    assert 0 <= starts[0] < context
    assert np.diff(starts).tolist() == [context] * (count - 1)
    assert length - 1 - (starts[-1] + context) < 2 * context


def test_a_batch_follows_from_seed_and_index():
    tokens = np.random.default_rng(0).integers(0, 60_000, 5000, dtype=np.uint16)
    first = [TrainBatches(tokens, 7, 13, seed=5).batch(index) for index in range(200)]
    resumed = TrainBatches(tokens, 7, 13, seed=5)
    for index in (150, 3, 199, 0):
        np.testing.assert_array_equal(resumed.batch(index), first[index])
    assert first[0].shape == (13, 8)
    assert first[0].dtype == np.int64
    assert not np.array_equal(TrainBatches(tokens, 7, 13, seed=6).batch(0), first[0])


def test_epochs_differ_in_phase_and_order():
    batches = TrainBatches(np.arange(1000), 10, 99, seed=1)
    assert batches.windows_per_epoch == 99
    epochs = [batches.batch(index)[:, 0] for index in range(20)]
    assert len({epoch.min() for epoch in epochs}) > 5
    assert not np.array_equal(np.argsort(epochs[0]), np.argsort(epochs[1]))


def test_a_batch_larger_than_the_text_goes_through_it_again():
    batch = TrainBatches(np.arange(6), 5, 4, seed=0).batch(3)
    assert batch.tolist() == [[0, 1, 2, 3, 4, 5]] * 4


def test_a_text_shorter_than_a_window_is_refused():
    with pytest.raises(DataError, match="a context of 6 needs 7 tokens, but there are 6"):
        TrainBatches(np.arange(6), 6, 1, seed=0)
