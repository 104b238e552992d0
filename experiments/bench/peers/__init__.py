"""The libraries that trainings are held against. Each is imported by its own module alone, and late."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gpt_zoo.config.base import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpt_zoo.config.gpt import GPTConfig

    Built = tuple[nn.Module, Callable[[Tensor], Tensor]]
    """A model, and what makes logits (B, T, V) of ids (B, T) by it."""


@dataclass(frozen=True)
class Peer:
    """A library that builds GPTs.

    Args:
        name: Of its distribution.
        package: That it is imported as, and the stem of the module here that builds its model.
        differs: What of its model is not as in ours.
        any_shape: Whether it is asked to build what is no GPT-2, too.
    """

    name: str
    package: str
    differs: str
    any_shape: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether it can be imported; it is not for that."""
        return find_spec(self.package) is not None

    def build(self, config: "GPTConfig") -> "Built":
        """Its model of that shape, with the weights that the library draws."""
        built: Built = import_module(f"{__name__}.{self.package}").build(config)
        return built


PEERS = {
    peer.name: peer
    for peer in (
        Peer("transformers", "transformers", "query, key and value have biases", any_shape=True),
        Peer("litgpt", "litgpt", "rotary positions; query, key and value have biases"),
        Peer("x-transformers", "x_transformers", "norms and attention have no biases"),
        Peer("llms-from-scratch", "llms_from_scratch", "nothing"),
    )
}


def find_peers(names: Sequence[str] | None) -> list[Peer]:
    """Those that are named, or all that are installed.

    Raises:
        ValueError: one is unknown, or not installed.
    """
    if names is None:
        return [peer for peer in PEERS.values() if peer.is_installed]
    for name in names:
        if name not in PEERS:
            raise ValueError(f"no peer is called `{name}`; {did_you_mean(name, PEERS)}")
    chosen = [PEERS[name] for name in dict.fromkeys(names)]
    if missing := [peer.name for peer in chosen if not peer.is_installed]:
        raise ValueError(
            f"not installed: {', '.join(missing)}; `pip install -c constraints-peers.txt 'gpt-zoo[peers]'`, "
            "or leave it out of --against"
        )
    return chosen


def refusals(peers: Sequence[Peer], config: "GPTConfig") -> Mapping[str, str]:
    """Which of the peers cannot build the shape, each with the reason."""
    from experiments.bench.shapes import is_plain
    from gpt_zoo.families import find_families

    if is_plain(config):
        return {}
    reasons = {}
    for peer in peers:
        if not peer.any_shape:
            reasons[peer.name] = "is asked for GPT-2 with an untied head only"
        elif not find_families(config):
            reasons[peer.name] = "no family of its models can express the shape"
    return reasons
