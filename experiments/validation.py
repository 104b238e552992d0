"""What a file declares, in a sentence."""

from pathlib import Path

from experiments.experiment import Experiment, ExperimentConfig, resolve_experiment
from experiments.units import format_count, plural
from gpt_zoo.cost import model_cost
from registry.domains import find_domains
from registry.space import SearchSpace, load_space
from registry.variant import load_variant
from registry.yaml_source import load_document

# Keys that only an experiment has; `name` and `description` stand in every file.
EXPERIMENT_KEYS = ExperimentConfig.model_fields.keys() - {"name", "description"}


def describe_file(path: Path) -> str:
    """What the experiment, space or variant in a file is, once it is found to be in order.

    Raises:
        DeclarationError: everything that is wrong with it.
    """
    document = load_document(path)
    if document.data.keys() & EXPERIMENT_KEYS:
        return _describe_experiment(resolve_experiment(document, path.absolute().parent, path.stem))
    if next(find_domains(document.data), None) is not None:
        return _describe_space(load_space(path))
    variant = load_variant(path)
    params = model_cost(variant.config).params
    return f"variant {variant.name}, {format_count(params)} parameters"


def _describe_space(space: SearchSpace) -> str:
    size = "endlessly many points" if space.size is None else plural(space.size, "point")
    return f"space {space.name}, {size}"


def _describe_experiment(experiment: Experiment) -> str:
    if experiment.space is not None:
        return f"search {experiment.config.name} of {_describe_space(experiment.space)}"
    names = ", ".join(variant.name for variant in experiment.variants)
    return f"comparison {experiment.config.name} of {names}"
