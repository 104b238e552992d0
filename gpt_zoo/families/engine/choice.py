"""Which family a config is written as."""

from gpt_zoo.config.base import tell_names
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.families.engine.catalog import all_families, find_family
from gpt_zoo.families.engine.write_config import UnexpressibleError, write_config
from gpt_zoo.families.family import Family


def expressing_families(config: GPTConfig) -> list[Family]:
    """The families that can express a config, in their order."""
    return [family for family in all_families().values() if _refusal(family, config) is None]


def _refusal(family: Family, config: GPTConfig) -> UnexpressibleError | None:
    try:
        write_config(family, config)
    except UnexpressibleError as error:
        return error
    return None


def choose_family(config: GPTConfig, wanted: str | None = None) -> Family:
    """The wanted family, or the first that can express a config.

    Raises:
        HubError: no family has this name.
        UnexpressibleError: it cannot express the config, or none can; tells what stands in the way, and which
            families can.
    """
    if wanted is not None:
        family = find_family(wanted)
        refusal = _refusal(family, config)
        if refusal is None:
            return family
        able = [other.model_type for other in expressing_families(config)]
        told = f"families that can: {', '.join(able)}" if able else "no family can"
        raise UnexpressibleError(refusal.path, f"{refusal}; {told}")
    refusals = {}
    for family in all_families().values():
        refusal = _refusal(family, config)
        if refusal is None:
            return family
        refusals[family.model_type] = refusal
    nearest = refusals.values()
    told = "; ".join(str(refusal) for refusal in list(nearest)[:4])
    raise UnexpressibleError(
        "", f"none of the families {tell_names(refusals)} can express this variant: {told}"
    )
