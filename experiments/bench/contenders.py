"""Who takes part in a comparison, and how each of them trains. Loads no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.bench.peers import Peer
from experiments.training.config import TrainingConfig
from gpt_zoo.config.base import did_you_mean

OURS = "gpt-zoo"
RECIPE = TrainingConfig(schedule="constant", warmup_fraction=0.0, drop_rate=0.0)
"""What all of them train with: learning rate, betas, weight decay, and the clip of the gradient."""
OWN_PRECISIONS = {
    "best": "auto",
    "float32": "float32",
    "bfloat16": "bfloat16",
    "bfloat16_master": "bfloat16_master",
}
"""By setting, the precision that it declares; all else is `auto`."""
OWN_SETTINGS = (*OWN_PRECISIONS, *(f"{name}+compile" for name in OWN_PRECISIONS))
"""Ours; `+compile` declares `compile: full`, so that peers which are compiled meet the same of ours."""
AS_IT_COMES = "as it comes"
MEANS = ("autocast", "compile", "malloc")
"""What a setting of a peer is put together of, with `+`: bfloat16 autocast; torch.compile of the model; an
allocator that keeps what is freed, as ours does. AdamW is then torch's fused kernel as well."""
PEER_SETTINGS = (AS_IT_COMES, *MEANS, "autocast+compile", "autocast+malloc", "autocast+compile+malloc")
DEFAULT_SETTINGS = ("float32", "best", "best+compile", AS_IT_COMES, "autocast", "autocast+compile")


@dataclass(frozen=True)
class Contender:
    """A library and how it trains."""

    library: str
    setting: str

    @property
    def is_ours(self) -> bool:
        """Whether it is this package."""
        return self.library == OURS

    @property
    def label(self) -> str:
        """What it is called in a line."""
        return f"{self.library}, {self.setting}"

    def declare(self, batch_size: int) -> TrainingConfig:
        """The training of one of ours, in which much is `auto`."""
        name, _, compiled = self.setting.partition("+")
        changes = {"batch_size": batch_size, "precision": OWN_PRECISIONS[name]}
        return RECIPE.model_copy(update=changes | ({"compile": "full"} if compiled else {}))


def find_settings(names: Sequence[str] | None) -> list[str]:
    """The settings that are named, or the usual ones.

    Raises:
        ValueError: one is unknown.
    """
    known = [*OWN_SETTINGS, *PEER_SETTINGS]
    wanted = [" ".join(name.replace("-", " ").split()) for name in names or DEFAULT_SETTINGS]
    for name in wanted:
        if name not in known:
            raise ValueError(f"no setting is called `{name}`; {did_you_mean(name, known)}")
    return list(dict.fromkeys(wanted))


def list_contenders(peers: Sequence[Peer], settings: Sequence[str]) -> list[Contender]:
    """Ours first, then each peer, in all the settings that are theirs.

    Raises:
        ValueError: no setting is of ours.
    """
    own = [Contender(OURS, setting) for setting in settings if setting in OWN_SETTINGS]
    if not own:
        raise ValueError(
            f"{OURS} trains in at least one setting, got only {', '.join(settings)}; add one of "
            f"{', '.join(OWN_SETTINGS)}"
        )
    theirs = [setting for setting in settings if setting in PEER_SETTINGS]
    return own + [Contender(peer.name, setting) for peer in peers for setting in theirs]
