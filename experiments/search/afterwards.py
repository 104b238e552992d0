"""What follows a search: was stopping right, and is the front what it looks like?"""

from __future__ import annotations

import random
from collections.abc import Iterator

from optuna.trial import TrialState

from experiments.front import mark_front
from experiments.record import Purpose, Status, TrialRecord
from experiments.runner import Point
from experiments.search.loop import SearchLoop
from experiments.search.study import PURPOSE, find_purpose
from experiments.tables import trials_table
from experiments.units import plural
from gpt_zoo.config.gpt import GPTConfig


def check_stopped(loop: SearchLoop) -> None:
    """Train some of the stopped trials to their end, which tells how often stopping was a mistake.

    They are drawn by lot, among those that no later trial has taken up; each is a trial of its own, which
    goes on from the state of the stopped one.
    """
    stopping = loop.config.search.stopping
    if stopping is None or not stopping.check:
        return
    trials = loop.study.get_trials(deepcopy=False)
    begun = [trial for trial in trials if find_purpose(trial) is Purpose.CHECK]
    for number in _draw(loop, stopping.check)[len(begun) :]:
        parameters = loop.ended[number][0].parameters
        loop.study.enqueue_trial(parameters, user_attrs={PURPOSE: Purpose.CHECK})
    waiting = len(loop.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
    if waiting:
        with loop.runner.progress.task("checking stopped trials", waiting) as task:
            for done in range(waiting):
                task.update(done)
                loop.run_next()


def confirm_front(loop: SearchLoop) -> None:
    """Train the members of the front with fresh seeds, until all that are on it are confirmed.

    A confirmed architecture stands where its fresh seeds put it, which had no part in choosing it. Others may
    come onto the front thereby, and are confirmed in turn.
    """
    count = loop.config.search.confirm
    fresh = [max(loop.config.seeds) + 1 + place for place in range(count)]
    confirmed: set[str] = set()
    while members := [record for record in _front(loop) if record.config_hash not in confirmed]:
        confirmed |= {record.config_hash for record in members}
        points = [_confirmation(record, seed) for record in members for seed in fresh]
        name = f"confirming {plural(len(members), 'architecture')}"
        with loop.runner.progress.task(name, len(points)) as task:
            done = iter(range(1, len(points) + 1))
            loop.runner.run_trials(points, lambda _: task.update(next(done)))  # noqa: B023 - is called here


def _draw(loop: SearchLoop, count: int) -> list[int]:
    """Stopped trials in the order of a lot, those that were taken up left out."""
    stopped = [
        number
        for number, records in sorted(loop.ended.items())
        if any(record.status is Status.STOPPED for record in records)
    ]
    taken_up = {record.continues for record in loop.records}
    open_ones = [number for number in stopped if number not in taken_up]
    random.Random(loop.config.seeds[0]).shuffle(open_ones)
    return open_ones[:count]


def _front(loop: SearchLoop) -> Iterator[TrialRecord]:
    """The first record of each architecture on the front, by all that is known."""
    records = loop.runner.run.load_records()
    on_front = mark_front(trials_table(records), loop.config.objectives)
    members = [record for record, is_member in zip(records, on_front, strict=True) if is_member]
    seen: set[str] = set()
    for record in members:
        if record.config_hash not in seen and record.purpose is not Purpose.CONFIRM:
            seen.add(record.config_hash)
            yield record


def _confirmation(record: TrialRecord, seed: int) -> Point:
    config = GPTConfig.model_validate(record.config)
    return Point(record.trial, record.variant, config, seed, record.parameters, purpose=Purpose.CONFIRM)
