"""Several trainings at once: each in a process of its own, which a thread of ours listens to."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from signal import SIGKILL

from experiments.launch import MemoryGate, Need, StoppedError
from experiments.progress import Task
from experiments.record import TrialRecord
from experiments.trial_job import TrialJob
from experiments.worker import STOP_SECONDS, Worker


class Pool:
    """Trains as many models at once as there are workers, each as soon as its memory is free.

    Args:
        workers: That train. With one, all happens in the calling thread.
        gate: Through which each training goes.
    """

    def __init__(self, workers: Sequence[Worker], gate: MemoryGate) -> None:
        self.workers, self.gate = workers, gate
        self.idle: SimpleQueue[Worker] = SimpleQueue()
        for worker in workers:
            self.idle.put(worker)

    def train(self, job: TrialJob, need: Callable[[Worker], Need], task: Task) -> TrialRecord:
        """The record of a training.

        Args:
            need: Of memory, where a worker trains it.

        Raises:
            NoRoomError: it was not begun, for want of memory.
            StoppedError: the pool was stopped, before the training or in it; its state is kept.
        """
        worker = self.idle.get()
        try:
            with self.gate.room(need(worker), lambda note: task.update(0.0, note)):
                record = worker.run(job, task)
        finally:
            self.idle.put(worker)
        if self.gate.stopped:  # then the record tells how we ended its process
            raise StoppedError
        return record

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all of the works, begun in their order, as many at once as there are workers.

        Where one of them fails, or the caller is interrupted, the others are ended, and keep their states.
        """
        if len(self.workers) == 1:
            for work in works:
                work()
            return
        with ThreadPoolExecutor(len(self.workers)) as threads:
            futures = [threads.submit(work) for work in works]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in futures:
                    if future in done:
                        future.result()
            except BaseException:
                self._stop(threads, futures)
                raise

    def _stop(self, threads: ThreadPoolExecutor, futures: Sequence[Future[None]]) -> None:
        """End what runs, and begin nothing more."""
        threads.shutdown(wait=False, cancel_futures=True)
        self.gate.stop()
        for worker in self.workers:
            worker.interrupt()
        late: set[Future[None]] | Sequence[Future[None]] = futures
        try:
            _, late = wait([future for future in futures if not future.cancelled()], STOP_SECONDS)
        finally:
            if late:  # no patience left, or another Ctrl-C
                for worker in self.workers:
                    worker.interrupt(SIGKILL)
