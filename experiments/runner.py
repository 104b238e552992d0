"""What searches and comparisons share: one run folder, one corpus, one pool of workers, trial after trial."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import Any

from experiments.claim import check_claim, check_corpus, claim_folder
from experiments.constraints import judge
from experiments.data.tokens import Tokens, load_tokens
from experiments.environment import describe_environment
from experiments.experiment import Experiment
from experiments.fitting import fit_to_experiment
from experiments.free_memory import open_memory, worker_bytes
from experiments.launch import MemoryGate, Need, NoRoomError
from experiments.memory_advice import advise_memory
from experiments.parallel import settle_parallel, settle_threads
from experiments.pool import Pool
from experiments.prediction import foresee
from experiments.progress import Progress, Task
from experiments.record import Purpose, Status, TrialRecord
from experiments.run_folder import RunFolder, write_atomically
from experiments.run_tuning import settle_tuning
from experiments.settings import identify_settings, settings_of
from experiments.stopped import StoppedTrainings, add_up
from experiments.training.config import TrainingConfig
from experiments.trial_job import TrialJob
from experiments.tuning import Tuning, check_means, means_of, resolve
from experiments.worker import Worker
from gpt_zoo.config.canonical import canonical, hash_config
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import model_cost


@dataclass(frozen=True)
class Point:
    """One training that is wanted.

    Args:
        trial: Its number in the run.
        variant: Its name.
        parameters: The values that a search chose.
        note: On how they were chosen, if there is anything to tell.
        purpose: Why it is trained.
    """

    trial: int
    variant: str
    config: GPTConfig
    seed: int
    parameters: dict[str, Any]
    note: str = ""
    purpose: Purpose = Purpose.SEARCH


@dataclass
class TrialRunner:
    """Takes configs with seeds to their records, and keeps the records in the run folder."""

    run: RunFolder
    experiment: Experiment
    tokens: Tokens
    pool: Pool
    progress: Progress
    device: str
    """Where trainings run: cpu, cuda or mps."""
    tuning: Tuning | None
    """What was measured of it, if that is asked for."""
    trained: dict[tuple[str, int], TrialRecord] = field(default_factory=dict)
    """Finished trainings by model and seed: none is done twice."""
    paused: dict[tuple[int, int], TrialRecord] = field(default_factory=dict)
    """Trainings of this process that are put down for the time being, by trial and seed."""
    rates: dict[str, float] = field(default_factory=dict)
    """What sweeps of learning rates have found, by model: one sweep serves all of its seeds."""
    writing: Lock = field(default_factory=Lock)
    """Held by who changes the folder, or what is known of it."""

    def __post_init__(self) -> None:
        self.stopped = StoppedTrainings(self.run)

    @property
    def parallel(self) -> int:
        """Trainings at once."""
        return len(self.pool.workers)

    def run_trials(
        self,
        points: Sequence[Point],
        ended: Callable[[TrialRecord], None] = lambda _: None,
        pause: int | None = None,
    ) -> list[TrialRecord]:
        """The records of trainings, as many at once as there are workers; the same whichever ends first.

        Args:
            ended: Told of each record, one at a time.
            pause: Points of the learning curve, after which each is put down. Such a record is not kept: the
                same call without `pause` goes on, and `stop` keeps what does not go on.
        """
        records: dict[int, TrialRecord] = {}

        def run_in_turn(places: list[int]) -> None:
            for place in places:
                record = self.run_trial(points[place], pause)
                with self.writing:
                    records[place] = record
                    ended(record)

        self.pool.run([partial(run_in_turn, places) for places in self._chains(points)])
        return [records[place] for place in range(len(points))]

    def _chains(self, points: Sequence[Point]) -> list[list[int]]:
        """The places of the points; those of one model and seed together, as the first answers the others.

        Where the learning rate is swept, those of all seeds: the first finds it for the others.
        """
        if self.parallel == 1:
            return [[place] for place in range(len(points))]
        sweeps = self.experiment.config.training.learning_rate == "auto"
        chains: dict[tuple[str, int | None], list[int]] = {}
        for place, point in enumerate(points):
            model = hash_model(self._fit(point.config).model_dump(mode="json"))
            model += identify_settings(point.parameters)
            chains.setdefault((model, None if sweeps else point.seed), []).append(place)
        return list(chains.values())

    def run_trial(self, point: Point, pause: int | None = None) -> TrialRecord:
        """The record of one training: from the folder if it is there, else trained now."""
        record = self._find_record(point.trial, point.seed, point.parameters)
        if record is None:
            record = self._run_trial(self.declare(point), pause)
            if (before := self.paused.pop((point.trial, point.seed), None)) is not None:
                record = add_up(before, record)
            if record.status is Status.STOPPED:
                self.paused[point.trial, point.seed] = record
                return record
            with self.writing:
                self.run.write_record(record)
        if record.status is not Status.STOPPED:
            # Until its record is there, the training may have to go on from its state.
            self.stopped.forget_state(record)
        with self.writing:
            self._remember(record)
        return record

    def stop(self, record: TrialRecord) -> None:
        """Keep the record of a training that was put down and does not go on; its state is kept with it."""
        self.paused.pop((record.trial, record.seed), None)
        with self.writing:
            self.run.write_record(record)
            self._remember(record)

    def share_done(self, point: Point) -> float:
        """How much of the budget was spent on it before: above 0 where a stopped training is taken up."""
        stopped = self.stopped.find(self.declare(point))
        return (stopped.stopped_at or 0.0) if stopped else 0.0

    def refuse(
        self,
        trial: int,
        variant: str,
        config: dict[str, Any],
        seed: int,
        parameters: dict[str, Any],
        why: str,
    ) -> TrialRecord:
        """Keep the record of something that is no valid config."""
        if found := self._find_record(trial, seed, parameters):
            return found
        record = TrialRecord(
            trial=trial,
            variant=variant,
            seed=seed,
            status=Status.INFEASIBLE,
            reason=why,
            config=config,
            config_hash=hash_config(config),
            parameters=parameters,
        )
        self.run.write_record(record)
        return record

    def _find_record(self, trial: int, seed: int, parameters: dict[str, Any]) -> TrialRecord | None:
        """The record of a trial that has ended.

        Raises:
            ValueError: it is the record of another point: the study has not grown together with this folder.
        """
        record = self.run.find_record(trial, seed)
        if record is not None and record.parameters != parameters:
            raise ValueError(
                f"trial {trial} has other values in {self.run.path} than in the study, which is not the one "
                "that this search began with; give its `storage` again, or another run folder with --out"
            )
        return record

    def _run_trial(self, record: TrialRecord, pause: int | None) -> TrialRecord:
        if breach := judge(self.experiment.constraints, record).reason:
            return record.model_copy(update={"status": Status.INFEASIBLE, "reason": breach})
        if twin := self.trained.get(_training_key(record)):
            return answer_from(twin, record)
        try:
            self.tokens.require(record.config["context_length"])
        except ValueError as error:
            return record.model_copy(update={"status": Status.INFEASIBLE, "reason": str(error)})
        name = f"trial {record.trial}" + (
            f" seed {record.seed}" if len(self.experiment.config.seeds) > 1 else ""
        )
        with self.progress.task(f"{name}: {record.variant}", 1.0) as task:
            return self._judge_trained(self._train(self.stopped.take_up(record), name, task, pause))

    def _train(self, record: TrialRecord, name: str, task: Task, pause: int | None) -> TrialRecord:
        """The record of a training as it ended, or as it did not begin for want of memory."""
        memory, predicted = self.pool.gate.memory, record.predicted_memory_bytes
        likely = None if predicted is None else predicted + memory.process_bytes

        def need(worker: Worker) -> Need:
            return Need(name, likely, record.least_memory_bytes or 0, partial(worker_bytes, worker))

        try:
            return self.pool.train(self._job(record, pause), need, task)
        except NoRoomError as error:
            config = GPTConfig.model_validate(record.config)
            advice = advise_memory(
                config,
                self._training(config, record.parameters),
                self.device,
                memory.total_bytes - memory.process_bytes,
            )
            reason = f"{error}, so it was not trained; {advice}"
            return record.model_copy(
                update={
                    "status": Status.OUT_OF_MEMORY,
                    "reason": reason,
                    "tokens": None,
                    "train_flops": None,
                }
            )

    def _judge_trained(self, record: TrialRecord) -> TrialRecord:
        """A training that ended well may still break a limit, or lack a number that is an objective."""
        if record.status is not Status.COMPLETE:
            return record
        if breach := judge(self.experiment.constraints, record).reason:
            return record.model_copy(update={"status": Status.INFEASIBLE, "reason": breach})
        if missing := [name for name in self.experiment.config.objectives if getattr(record, name) is None]:
            reason = f"{', '.join(missing)} cannot be measured here, but is an objective"
            return record.model_copy(update={"status": Status.FAILED, "reason": reason})
        return record

    def _fit(self, config: GPTConfig) -> GPTConfig:
        drop_rate = self.experiment.config.training.drop_rate
        return fit_to_experiment(config, self.tokens.vocab_size, drop_rate)

    def declare(self, point: Point) -> TrialRecord:
        """The row as far as it is known before training."""
        asked = self.experiment.config
        config = self._fit(point.config)
        data, training = config.model_dump(mode="json"), self._training(config, point.parameters)
        return TrialRecord(
            trial=point.trial,
            variant=point.variant,
            seed=point.seed,
            status=Status.FAILED,
            config=data,
            config_hash=hash_config(data),
            parameters=point.parameters,
            note=point.note,
            purpose=point.purpose,
            **means_of(training),
            **foresee(config, training, asked.budget, self.device).record,
        )

    def _training(self, config: GPTConfig, parameters: Mapping[str, Any]) -> TrainingConfig:
        """That of a config, with the settings that a search chose, and with what `auto` means for it."""
        asked = self.experiment.config
        training = asked.training.model_copy(update=settings_of(parameters))
        steps = asked.budget.steps_for(model_cost(config), training)
        return resolve(training, config, self.device, self.tuning, steps)

    def _job(self, record: TrialRecord, pause: int | None) -> TrialJob:
        asked = self.experiment.config
        # What was foreseen is no measurement: the worker fills in what was really spent.
        record = record.model_copy(update={"tokens": None, "train_flops": None})
        training = self._training(GPTConfig.model_validate(record.config), record.parameters)
        if training.learning_rate == "auto" and (found := self.rates.get(_training_key(record)[0])):
            training = training.model_copy(update={"learning_rate": found})
            record = record.model_copy(update={"sweep_flops": 0})
        return TrialJob(
            record=record,
            training=training,
            budget=asked.budget,
            points=pause,
            tokens=self.tokens.folder,
            state=self.run.state_path(record.trial, record.seed).absolute(),
            weights=self.run.weights_path(record.trial, record.seed).absolute(),
            sweep_seed=asked.seeds[0],
        )

    def _remember(self, record: TrialRecord) -> None:
        if record.status is Status.COMPLETE:
            self.trained.setdefault(_training_key(record), record)
        elif record.status is Status.STOPPED:
            self.stopped.remember(record)
        if record.sweep_flops is not None and record.learning_rate is not None:
            self.rates.setdefault(_training_key(record)[0], record.learning_rate)


@contextmanager
def open_runner(run: RunFolder, experiment: Experiment, progress: Progress) -> Iterator[TrialRunner]:
    """A runner for `experiment` in its folder, with all that earlier calls have finished.

    Raises:
        ValueError: another process works in this folder, it holds another experiment, the corpus is unusable,
            or the device is not there or cannot do what is asked of it.
    """
    with run.locked():
        if experiment.config.match is None:
            check_claim(run, experiment)
        tokens = load_tokens(experiment.config.data, progress)
        if experiment.config.match is not None:  # only now is it known what variants are claimed
            experiment = experiment.matched_for(tokens.vocab_size)
            check_claim(run, experiment)
        check_corpus(run, tokens.content_hash)
        with ExitStack() as workers:
            worker = workers.enter_context(Worker(run.path / "worker.log"))
            wanted = experiment.config.training.device
            devices = worker.require_device(wanted)
            device = next(iter(devices)) if wanted == "auto" else wanted
            check_means(experiment.config.training, device)
            claim_folder(run, experiment)
            before = run.load_json(run.environment).get("parallel") if run.has_begun() else None
            parallel = settle_parallel(experiment, device, before)
            environment = {**describe_environment(tokens.content_hash, devices), "parallel": parallel}
            write_atomically(run.environment, json.dumps(environment, indent=1))
            pool = _open_pool(worker, parallel, device, workers, progress)
            settled = _settle(experiment, parallel)
            tuning = settle_tuning(run, settled.config.training, device, worker, progress)
            runner = TrialRunner(run, settled, tokens, pool, progress, device, tuning)
            for record in run.load_records():
                runner._remember(record)
            yield runner


def _open_pool(worker: Worker, parallel: int, device: str, workers: ExitStack, progress: Progress) -> Pool:
    """A pool of `worker` and others like it, which end with `workers`."""
    asking, *others = [workers.enter_context(Worker(worker.log)) for _ in range(parallel)]
    return Pool([worker, *others], MemoryGate(open_memory(device, asking), progress.message))


def _settle(experiment: Experiment, parallel: int) -> Experiment:
    """The experiment as each of its trainings runs."""
    training = settle_threads(experiment.config.training, parallel)
    return replace(experiment, config=experiment.config.model_copy(update={"training": training}))


def hash_model(config: dict[str, Any]) -> str:
    """The same name for all configs of one model, from the data of any of them.

    For the same seed they all start from the same weights.
    """
    return hash_config(canonical(GPTConfig.model_validate(config)).model_dump(mode="json"))


def _training_key(record: TrialRecord) -> tuple[str, int]:
    """The same for all trainings of one model, with one seed and the same settings."""
    return hash_model(record.config) + identify_settings(record.parameters), record.seed


def answer_from(twin: TrialRecord, record: TrialRecord) -> TrialRecord:
    """The record of a model that was trained before with the same seed: the numbers of that training."""
    own = {
        name: getattr(record, name)
        for name in ("trial", "variant", "parameters", "config", "config_hash", "note", "purpose")
    }
    same = "config" if record.config_hash == twin.config_hash else "model, declared otherwise,"
    reason = f"the same {same} and seed as trial {twin.trial}"
    own["continues"] = None
    return twin.model_copy(update={**own, "status": Status.DUPLICATE, "reason": reason})
