import importlib.util

import pytest
import torch

from experiments.bench.peers import PEERS, Peer, find_peers, refusals
from experiments.bench.shapes import SHAPES, find_shape, is_plain
from gpt_zoo import GPTModel
from gpt_zoo.config.gpt import GPTConfig

SMALL = {"vocab_size": 257, "context_length": 17, "emb_dim": 20, "n_heads": 2, "n_layers": 3}


def build(name: str, config: GPTConfig):
    peer = PEERS[name]
    pytest.importorskip(peer.package, reason=f"{name} is among the peers that `make test-peers` installs")
    return peer.build(config)


def surplus(name: str, config: GPTConfig) -> int:
    """Parameters that the peer's model has more than ours, and what it must have in common."""
    model, forward = build(name, config)
    logits = forward(torch.randint(0, config.vocab_size, (2, config.context_length)))
    assert logits.shape == (2, config.context_length, config.vocab_size)
    ours = sum(parameter.numel() for parameter in GPTModel(config).parameters())
    return sum(parameter.numel() for parameter in model.parameters()) - ours


@pytest.mark.parametrize("qkv_bias", [False, True])
def test_transformers_always_has_biases_of_query_key_and_value(qkv_bias):
    config = GPTConfig(**SMALL, qkv_bias=qkv_bias)
    assert surplus("transformers", config) == (0 if qkv_bias else 3 * 3 * 20)


@pytest.mark.parametrize("qkv_bias", [False, True])
def test_the_books_model_has_the_same_parameters(qkv_bias):
    assert surplus("llms-from-scratch", GPTConfig(**SMALL, qkv_bias=qkv_bias)) == 0


def test_litgpt_has_no_position_table():
    assert surplus("litgpt", GPTConfig(**SMALL)) == -17 * 20 + 3 * 3 * 20


def test_x_transformers_has_no_biases_of_norms_and_attention():
    # 2 norms a layer and a last one; the projection behind attention of each layer.
    assert surplus("x-transformers", GPTConfig(**SMALL)) == -(2 * 3 + 1) * 20 - 3 * 20


def test_transformers_builds_what_a_family_can_express():
    config = find_shape("gpt-nano", batch_size=2).config
    assert not is_plain(config)
    assert refusals(list(PEERS.values()), config).keys() == {"litgpt", "x-transformers", "llms-from-scratch"}
    assert surplus("transformers", config) == 0


def test_the_shapes_of_the_table_are_built_by_all():
    assert [(shape.name, shape.tokens_per_step) for shape in SHAPES.values()] == [
        ("tiny", 2048),
        ("small", 2048),
        ("124m", 512),
    ]
    for shape in SHAPES.values():
        assert refusals(list(PEERS.values()), shape.config) == {}
        assert shape.config.drop_rate == 0


def test_a_variant_needs_a_batch_and_the_vocabulary_of_bytes(tmp_path):
    with pytest.raises(ValueError, match="try --batch-size 8"):
        find_shape("gpt-nano")
    few = tmp_path / "few.yaml"
    few.write_text("extends: gpt-nano\nvocab_size: 255\n")
    with pytest.raises(ValueError, match="at least 256 ids, got 255"):
        find_shape(str(few), 4)


def test_a_peer_that_is_not_installed_is_told_with_the_fix(monkeypatch):
    monkeypatch.setitem(PEERS, "absent", Peer("absent", "a_package_that_nobody_has", "nothing"))
    with pytest.raises(ValueError, match=r"not installed: absent; `pip install -c constraints-peers.txt"):
        find_peers(["absent"])
    assert "absent" not in [peer.name for peer in find_peers(None)]
    with pytest.raises(ValueError, match="no peer is called `transfomers`; did you mean `transformers`"):
        find_peers(["transfomers"])


def test_installed_peers_are_the_ones_that_python_finds():
    found = {peer.name for peer in find_peers(None)}
    assert found == {name for name, peer in PEERS.items() if importlib.util.find_spec(peer.package)}
