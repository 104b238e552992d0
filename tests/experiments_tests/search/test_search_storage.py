"""Where a study is kept, and by whom it may be shared."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from tiny_searches import SPACE, TINY, Searches, load_study, trained

from experiments.run_folder import RunFolder
from experiments.search import run_search
from experiments.search.study import measure_importances, open_study


@pytest.mark.parametrize(
    "storage",
    [
        "postgresql://someone:geheim@nowhere.invalid/studies",
        "sqlite:////no/such/folder/study.db",
        "nonsense",
        "nonsense://someone:geheim@nowhere.invalid/studies",
    ],
)
def test_a_storage_that_cannot_be_opened_is_named_without_its_password(
    searches: Searches, tmp_path: Path, storage: str
) -> None:
    experiment = searches.declare(SPACE, search={"storage": storage})
    with pytest.raises(ValueError, match=r"the storage .* cannot be opened") as error:
        open_study(RunFolder(tmp_path), experiment)
    assert "geheim" not in str(error.value)
    assert storage.replace("geheim", "***") in str(error.value)


def test_a_study_with_other_objectives_is_refused(searches: Searches, tmp_path: Path) -> None:
    storage: dict[str, Any] = {"storage": f"sqlite:///{tmp_path / 'shared.db'}"}
    open_study(RunFolder(tmp_path), searches.declare(SPACE, search=storage, objectives=["validation_loss"]))
    for objectives in (["tokens_per_second"], ["validation_loss", "params"]):
        experiment = searches.declare(SPACE, search=storage, objectives=objectives)
        with pytest.raises(ValueError, match="holds a study `tiny` with other objectives"):
            open_study(RunFolder(tmp_path), experiment)


@pytest.mark.slow
def test_two_folders_share_a_storage_and_keep_their_own_trials(searches: Searches, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    space = {**TINY, "emb_dim": {"int": {"low": 8, "high": 64, "step": 2}}}

    def search(folder: str, trials: int) -> RunFolder:
        declared = {"sampler": "random", "trials": trials, "storage": url}
        return run_search(searches.declare(space, search=declared), tmp_path / folder)

    first = search("first", 2)
    assert not first.study.exists()
    # What another folder is training just now is none of ours.
    study = load_study(first, url)
    foreign = study.ask()
    foreign.set_user_attr("run_folder", str(tmp_path / "third"))
    second = search("second", 2)
    first = search("first", 3)
    numbers = [[record.trial for record in trained(run)] for run in (first, second)]
    assert numbers == [[0, 1, 5], [3, 4]]
    states = [trial.state for trial in load_study(first, url).trials]
    assert states == [TrialState.COMPLETE] * 2 + [TrialState.RUNNING] + [TrialState.COMPLETE] * 3


def test_importances_are_shares_of_what_makes_an_objective_better() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["minimize", "maximize"])
    for number in range(40):
        # Small values of `narrow` are good for the loss; the speed is best in one small part of `wide`.
        narrow, wide = number % 8, number // 8
        trial = optuna.trial.create_trial(
            params={"narrow": narrow, "wide": wide},
            distributions={
                "narrow": optuna.distributions.IntDistribution(0, 7),
                "wide": optuna.distributions.IntDistribution(0, 4),
            },
            values=[float(narrow), 100.0 if wide == 4 else float(narrow)],
        )
        study.add_trial(trial)
    shares = measure_importances(study, ("validation_loss", "tokens_per_second"))
    assert shares.keys() == {"validation_loss", "tokens_per_second"}
    for of_objective in shares.values():
        assert of_objective.keys() == {"narrow", "wide"}
        assert sum(of_objective.values()) == pytest.approx(1)
    assert shares["validation_loss"]["narrow"] > 0.9
    assert shares["tokens_per_second"]["wide"] > 0.9  # the slowest are told apart by `narrow`


@pytest.mark.parametrize("trials", [0, 1])
def test_where_trials_do_not_suffice_nothing_is_said(trials: int) -> None:
    study = optuna.create_study()
    for number in range(trials):
        distributions = {"x": optuna.distributions.IntDistribution(0, 9)}
        study.add_trial(
            optuna.trial.create_trial(params={"x": number}, distributions=distributions, value=float(number))
        )
    assert measure_importances(study, ("validation_loss",)) == {}
