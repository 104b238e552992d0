"""A domain of a space as Optuna asks for it."""

from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from registry.domains import Choice, Domain, Float, Int


def suggest(trial: Trial, name: str, domain: Domain) -> Any:
    """The value that the study proposes for a domain."""
    if isinstance(domain, Choice):
        return trial.suggest_categorical(name, list(domain.values()))
    if isinstance(domain, Int):
        return trial.suggest_int(name, domain.low, domain.high, step=domain.step or 1, log=domain.log)
    assert isinstance(domain, Float)
    return trial.suggest_float(name, domain.low, domain.high, step=domain.step, log=domain.log)


def distribution_of(domain: Domain) -> BaseDistribution:
    """What `suggest` draws from."""
    if isinstance(domain, Choice):
        return CategoricalDistribution(list(domain.values()))
    if isinstance(domain, Int):
        return IntDistribution(domain.low, domain.high, step=domain.step or 1, log=domain.log)
    assert isinstance(domain, Float)
    return FloatDistribution(domain.low, domain.high, step=domain.step, log=domain.log)
