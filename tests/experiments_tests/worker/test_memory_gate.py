"""Which trainings are launched, and when, on a machine whose memory is written down."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest
from worker_jobs import wait_until

from experiments import launch
from experiments.launch import MemoryGate, Need, NoRoomError, StoppedError


@dataclass
class Machine:
    """Memory of ten bytes, of which other programs have some."""

    others: int = 0
    total_bytes: int = 10
    process_bytes: int = 0
    taken: dict[str, int] = field(default_factory=dict)

    def free_bytes(self) -> int:
        return self.total_bytes - self.others - sum(self.taken.values())

    def outstanding_bytes(self, running: Sequence[Need], free_bytes: int) -> int:
        return sum(max(0, (need.likely_bytes or 0) - need.used_bytes()) for need in running)

    def need(self, name: str, likely: int | None, least: int = 0) -> Need:
        return Need(name, likely, least, lambda: self.taken.get(name, 0))


class Launches:
    """Trainings in threads of their own, which run until they are told to end."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.said: list[str] = []
        self.notes: dict[str, str] = {}
        self.gate = MemoryGate(machine, self.said.append)
        self.ends: dict[str, threading.Event] = {}
        self.threads: list[threading.Thread] = []
        self.failures: dict[str, Exception] = {}

    def launch(self, name: str, likely: int | None, least: int = 0) -> None:
        """Ask for room, and return once the gate has let it in or made it wait."""
        need, self.ends[name] = self.machine.need(name, likely, least), threading.Event()

        def train() -> None:
            try:
                with self.gate.room(need, lambda note: self.notes.__setitem__(name, note)):
                    self.ends[name].wait(60)
            except (NoRoomError, StoppedError) as error:
                self.failures[name] = error

        thread = threading.Thread(target=train)
        thread.start()
        self.threads.append(thread)
        wait_until(lambda: name in self.failures or self.is_known(name), f"{name} asks")

    def is_known(self, name: str) -> bool:
        with self.gate.changed:
            return any(need.name == name for need in (*self.gate.running, *self.gate.waiting))

    @property
    def running(self) -> list[str]:
        with self.gate.changed:
            return [need.name for need in self.gate.running]

    def end(self, name: str) -> None:
        self.machine.taken.pop(name, None)
        self.ends[name].set()
        wait_until(lambda: not self.is_known(name), f"{name} ends")


@contextmanager
def launching(machine: Machine) -> Iterator[Launches]:
    launches = Launches(machine)
    with ExitStack() as afterwards:
        afterwards.callback(lambda: [thread.join() for thread in launches.threads])
        afterwards.callback(launches.gate.stop)
        afterwards.callback(lambda: [event.set() for event in launches.ends.values()])
        yield launches


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "LOOK_SECONDS", 0.02)


def test_what_a_running_training_has_yet_to_take_is_not_free() -> None:
    machine = Machine()
    with launching(machine) as launches:
        launches.launch("first", 6)
        launches.launch("second", 5)  # all ten are free, but six of them are promised
        wait_until(lambda: "second" in launches.notes, "the second waits")
        assert launches.notes["second"] == "waits for memory: needs 5 B, 4 B free"
        machine.taken["first"] = 6  # now nothing is promised, and four are free
        launches.launch("third", 4)
        assert launches.running == ["first"]
        launches.end("first")
        wait_until(lambda: launches.running == ["second", "third"], "both begin in their order")


def test_two_that_fit_run_together_and_a_small_one_does_not_pass_a_large_one() -> None:
    with launching(Machine()) as launches:
        launches.launch("first", 4)
        launches.launch("second", 4)
        assert sorted(launches.running) == ["first", "second"]
        launches.launch("large", 9)
        launches.launch("small", 1)
        assert launches.running == ["first", "second"]
        launches.end("first")
        assert launches.running == ["second"]
        launches.end("second")
        wait_until(lambda: launches.running == ["large", "small"], "both begin, the large one first")


def test_memory_that_another_program_gives_back_is_seen() -> None:
    machine = Machine(others=7)
    with launching(machine) as launches:
        launches.launch("first", 3)
        launches.launch("second", 3)
        wait_until(lambda: "second" in launches.notes, "the second waits")
        machine.others = 4
        wait_until(lambda: len(launches.running) == 2, "the second begins")


def test_what_is_likely_too_much_is_tried_alone_and_said() -> None:
    with launching(Machine(others=5)) as launches:
        launches.launch("first", 8, least=4)
        wait_until(lambda: launches.running == ["first"], "it begins")
        assert launches.said == [
            "first: will likely need 8 B, 5 B is free; it is trained all the same, "
            "as nothing else of ours runs"
        ]


def test_what_is_certain_not_to_fit_is_refused_at_once_whatever_runs() -> None:
    with launching(Machine()) as launches:
        launches.launch("first", 6)
        launches.launch("giant", 30, least=11)
        assert str(launches.failures["giant"]) == "needs at least 11 B, and there is 10 B in all"
        launches.launch("second", 4)
        assert launches.running == ["first", "second"]


def test_it_is_not_waited_for_ever_for_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "PATIENCE_SECONDS", 0.2)
    with launching(Machine(others=8)) as launches:
        launches.launch("first", 9, least=5)
        wait_until(lambda: "first" in launches.failures, "it is given up")
        message = "other programs leave too little: waits for memory: needs 5 B, 2 B free"
        assert str(launches.failures["first"]) == message
        launches.launch("second", 2)
        assert launches.running == ["second"]


def test_what_cannot_be_predicted_runs_alone() -> None:
    with launching(Machine()) as launches:
        launches.launch("known", 1)
        launches.launch("unknown", None)
        launches.launch("after", 1)
        assert launches.running == ["known"]
        launches.end("known")
        wait_until(lambda: launches.running == ["unknown"], "the unknown one begins")
        wait_until(lambda: "after" in launches.notes, "the next one waits")
        launches.end("unknown")
        wait_until(lambda: launches.running == ["after"], "the next one begins")


def test_a_stopped_gate_lets_nobody_in() -> None:
    with launching(Machine()) as launches:
        launches.launch("first", 8)
        launches.launch("second", 8)
        launches.gate.stop()
        launches.end("second")
        assert isinstance(launches.failures["second"], StoppedError)
        launches.launch("third", 1)
        assert isinstance(launches.failures["third"], StoppedError)
