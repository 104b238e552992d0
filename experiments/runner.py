"""What searches and comparisons share: one run folder, one corpus, one worker, trial after trial."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from experiments.claim import check_claim, check_corpus, claim_folder
from experiments.constraints import judge
from experiments.data.tokens import Tokens, load_tokens
from experiments.environment import describe_environment
from experiments.experiment import Experiment
from experiments.fitting import fit_to_experiment
from experiments.prediction import foresee
from experiments.progress import Progress
from experiments.record import Status, TrialRecord
from experiments.run_folder import RunFolder, write_atomically
from experiments.trial_job import TrialJob
from experiments.worker import Worker
from gpt_zoo.config.canonical import canonical, hash_config
from gpt_zoo.config.gpt import GPTConfig


@dataclass
class TrialRunner:
    """Takes one config and seed at a time to its record, and keeps the record in the run folder."""

    run: RunFolder
    experiment: Experiment
    tokens: Tokens
    worker: Worker
    progress: Progress
    device: str
    """Where trainings run: cpu, cuda or mps."""
    trained: dict[tuple[str, int], TrialRecord] = field(default_factory=dict)
    """Finished trainings by model and seed: none is done twice."""

    def run_trial(
        self, trial: int, variant: str, config: GPTConfig, seed: int, parameters: dict[str, Any]
    ) -> TrialRecord:
        """The record of one training: from the folder if it is there, else trained now."""
        record = self._find_record(trial, seed, parameters)
        if record is None:
            record = self._run_trial(self._declare(trial, variant, config, seed, parameters))
            self.run.write_record(record)
        # Until its record is there, the training may have to go on from its state.
        self.run.state_path(trial, seed).unlink(missing_ok=True)
        self._remember(record)
        return record

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

    def _run_trial(self, record: TrialRecord) -> TrialRecord:
        if breach := judge(self.experiment.constraints, record).reason:
            return record.model_copy(update={"status": Status.INFEASIBLE, "reason": breach})
        if twin := self.trained.get((hash_model(record.config), record.seed)):
            return answer_from(twin, record)
        try:
            self.tokens.require(record.config["context_length"])
        except ValueError as error:
            return record.model_copy(update={"status": Status.INFEASIBLE, "reason": str(error)})
        name = f"trial {record.trial}" + (
            f" seed {record.seed}" if len(self.experiment.config.seeds) > 1 else ""
        )
        with self.progress.task(f"{name}: {record.variant}", 1.0) as task:
            record = self.worker.run(self._job(record), task)
        return self._judge_trained(record)

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

    def _declare(
        self, trial: int, variant: str, config: GPTConfig, seed: int, parameters: dict[str, Any]
    ) -> TrialRecord:
        """The row as far as it is known before training."""
        asked = self.experiment.config
        config = fit_to_experiment(config, self.tokens.vocab_size, asked.training.drop_rate)
        data = config.model_dump(mode="json")
        return TrialRecord(
            trial=trial,
            variant=variant,
            seed=seed,
            status=Status.FAILED,
            config=data,
            config_hash=hash_config(data),
            parameters=parameters,
            precision=asked.training.precision,
            **foresee(config, asked.training, asked.budget, self.device).record,
        )

    def _job(self, record: TrialRecord) -> TrialJob:
        asked = self.experiment.config
        return TrialJob(
            # What was foreseen is no measurement: the worker fills in what was really spent.
            record=record.model_copy(update={"tokens": None, "train_flops": None}),
            training=asked.training,
            budget=asked.budget,
            tokens=self.tokens.folder,
            state=self.run.state_path(record.trial, record.seed).absolute(),
            weights=self.run.weights_path(record.trial, record.seed).absolute(),
        )

    def _remember(self, record: TrialRecord) -> None:
        if record.status is Status.COMPLETE:
            self.trained.setdefault((hash_model(record.config), record.seed), record)


@contextmanager
def open_runner(run: RunFolder, experiment: Experiment, progress: Progress) -> Iterator[TrialRunner]:
    """A runner for `experiment` in its folder, with all that earlier calls have finished.

    Raises:
        ValueError: another process works in this folder, it holds another experiment, the corpus is unusable,
            or the device is not there.
    """
    with run.locked():
        if experiment.config.match is None:
            check_claim(run, experiment)
        tokens = load_tokens(experiment.config.data, progress)
        if experiment.config.match is not None:  # only now is it known what variants are claimed
            experiment = experiment.matched_for(tokens.vocab_size)
            check_claim(run, experiment)
        check_corpus(run, tokens.content_hash)
        with Worker(run.path / "worker.log") as worker:
            wanted = experiment.config.training.device
            devices = worker.require_device(wanted)
            claim_folder(run, experiment)
            environment = describe_environment(tokens.content_hash, devices)
            write_atomically(run.environment, json.dumps(environment, indent=1))
            device = next(iter(devices)) if wanted == "auto" else wanted
            runner = TrialRunner(run, experiment, tokens, worker, progress, device)
            for record in run.load_records():
                runner._remember(record)
            yield runner


def hash_model(config: dict[str, Any]) -> str:
    """The same name for all configs of one model, from the data of any of them.

    For the same seed they all start from the same weights.
    """
    return hash_config(canonical(GPTConfig.model_validate(config)).model_dump(mode="json"))


def answer_from(twin: TrialRecord, record: TrialRecord) -> TrialRecord:
    """The record of a model that was trained before with the same seed: the numbers of that training."""
    own = {
        name: getattr(record, name) for name in ("trial", "variant", "parameters", "config", "config_hash")
    }
    same = "config" if record.config_hash == twin.config_hash else "model, declared otherwise,"
    reason = f"the same {same} and seed as trial {twin.trial}"
    return twin.model_copy(update={**own, "status": Status.DUPLICATE, "reason": reason})
