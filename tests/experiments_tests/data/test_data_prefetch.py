import threading
import time

import numpy as np
import pytest
import torch

from experiments.data.batches import TrainBatches
from experiments.data.prefetch import BatchLoader, Prefetcher

RAMP = [(0, 2), (2, 2), (4, 3), (7, 5), (12, 5), (3, 5)]
"""Batches that grow, and a place that nobody expected."""


def batches_of(kept) -> TrainBatches:
    return TrainBatches(np.arange(60_000, 65_000, dtype=kept), 7, seed=5)


@pytest.fixture
def prefetcher():
    made = []

    def make(make):
        made.append(Prefetcher(make))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("kept", [np.uint16, np.uint32, np.int64])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_batches_are_those_windows_as_int64_on_the_device(kept, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    loader = BatchLoader(batches_of(kept), torch.device(device))
    for first, count in RAMP:
        loaded = loader.load(first, count)
        assert (loaded.dtype, loaded.device.type) == (torch.int64, device)
        expected = batches_of(np.int64).windows(first, count)
        np.testing.assert_array_equal(loaded.cpu().numpy(), expected)
        loaded.zero_()  # what a caller does with a batch is nothing to the tokens
    loader.close()


def test_a_thread_gives_what_was_asked_for_expected_or_not(prefetcher):
    get = prefetcher(batches_of(np.uint16).windows).get
    for first, count in RAMP:
        np.testing.assert_array_equal(get(first, count), batches_of(np.uint16).windows(first, count))


def test_the_next_batch_is_made_while_the_last_is_used(prefetcher):
    made = threading.Semaphore(0)

    def make(first, count):
        made.release()
        return first, threading.current_thread()

    get = prefetcher(make).get
    assert get(0, 4)[0] == 0
    assert made.acquire(timeout=10)
    assert made.acquire(timeout=10)  # the second one, which nobody has asked for yet
    first, thread = get(4, 4)
    assert first == 4
    assert thread is not threading.current_thread()


def test_an_error_of_the_thread_is_raised_by_the_call_that_it_concerns(prefetcher):
    def make(first, count):
        if first == 4:
            raise OSError("the disk is gone")
        return first

    get = prefetcher(make).get
    assert get(0, 4) == 0
    with pytest.raises(OSError, match="the disk is gone"):
        get(4, 4)
    assert get(8, 4) == 8


def test_an_error_of_what_is_never_asked_for_is_none(prefetcher):
    def make(first, count):
        return 12 // (3 - first)

    get = prefetcher(make).get
    assert get(0, 3) == 4  # and the one at 3 fails
    assert get(1, 1) == 6


def test_closing_leaves_no_thread():
    def make(first, count):
        time.sleep(0.05)
        return first

    before = threading.active_count()
    prefetcher = Prefetcher(make)
    assert prefetcher.get(0, 1) == 0
    assert threading.active_count() == before + 1
    prefetcher.close()
    assert threading.active_count() == before
    prefetcher.close()
