"""What a run chooses by where its training says `auto`: measured once, and kept in its folder."""

from pydantic import TypeAdapter

from experiments.doctor import load_tuning
from experiments.progress import Progress
from experiments.run_folder import RunFolder, write_atomically
from experiments.training.config import TrainingConfig
from experiments.tuning import Tuning, needs_tuning
from experiments.worker import Worker

KEPT: TypeAdapter[Tuning | None] = TypeAdapter(Tuning | None)
"""Of a run folder: None where the machine could not be measured."""


def settle_tuning(
    run: RunFolder, training: TrainingConfig, device: str, worker: Worker, progress: Progress
) -> Tuning | None:
    """What the trainings of a run are tuned by, which stays so when the run goes on later, or elsewhere.

    Args:
        training: With the threads of each.
        device: That they run on.
        worker: That measures, where need be.

    Raises:
        ValueError: what is kept in the folder is damaged.
    """
    if not needs_tuning(training, device):
        return None
    if run.tuning.exists():
        return KEPT.validate_json(run.tuning.read_bytes())
    tuning = find_tuning(training, device, worker, progress)
    write_atomically(run.tuning, KEPT.dump_json(tuning, indent=1))
    return tuning


def find_tuning(training: TrainingConfig, device: str, worker: Worker, progress: Progress) -> Tuning | None:
    """What is kept of this machine, else measured now; None if nothing is needed, or nothing can be measured.

    Arguments are those of `settle_tuning`.
    """
    if not needs_tuning(training, device):
        return None
    if kept := load_tuning(device, training.threads):
        return kept
    with progress.task("measuring this machine (once)") as task:
        measured = worker.measure(training.threads, task)
    if not measured:
        progress.message(
            f"this machine could not be measured, see {worker.log}: `auto` is float32, with fused attention"
        )
    tunings = [Tuning.model_validate(device) for device in measured]
    return next((tuning for tuning in tunings if tuning.device == device), None)
