"""The contract of a model, for whoever adds a component: what must hold whatever a config declares.

    registry.load_plugins(["my_module"])
    check_component("attention", {"kind": "mine"})

Each check raises an AssertionError which says what does not hold. No test framework is needed; in one, a call
is a test.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import yaml
from jaxtyping import Bool, Int
from torch import Tensor, nn
from torch.nn import functional as F

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.slot import KINDS
from gpt_zoo.cost.memory import TrainingStep, training_memory
from gpt_zoo.cost.model import model_cost
from gpt_zoo.measure.memory import measure_saved
from gpt_zoo.measure.reconcile import reconcile
from gpt_zoo.model import GPTModel
from gpt_zoo.weights import build_empty

SMALL = {"vocab_size": 61, "context_length": 19, "emb_dim": 24, "n_heads": 4, "n_layers": 2}
SURROUNDINGS: tuple[dict[str, Any], ...] = (
    {},
    {"position": {"kind": "rotary"}, "norm": {"kind": "rms_norm"}, "feed_forward": {"kind": "gated"}},
    {"qkv_bias": True, "tie_embeddings": True, "position": {"kind": "none"}, "block": {"kind": "parallel"}},
    {"layers": [{"n_heads": 2}, {}], "activation": "relu"},
)
"""What else a model may have that holds a component."""
LARGEST = 20_000_000
"""Parameters of a model that is computed in float64 and differentiated token by token."""
TOLERANCE = 1e-8
"""In float64, where sums of another order differ by 1e-15."""


def check_component(slot: str, declaration: str | Mapping[str, Any], **fields: Any) -> None:
    """Check small models that have one component, in several surroundings.

    Surroundings that a rule of the component refuses are left out, but never all of them.

    Args:
        slot: Where it stands: a field of GPTConfig, `expert` or `rotary_scaling`.
        declaration: The component, such as `{"kind": "mine", "size": 3}`, or the name of an activation or an
            initialization.
        fields: More of the config, where the usual small model does not fit.

    Raises:
        AssertionError: names the check, the surroundings and what does not hold.
        ValueError: the declaration breaks a rule in all surroundings.
    """
    refused: list[ValueError] = []
    for surroundings in SURROUNDINGS:
        data = SMALL | surroundings | _placed(slot, declaration) | fields
        try:
            config = GPTConfig.model_validate(data)
        except ValueError as error:
            refused.append(error)
            continue
        try:
            check_variant(config)
        except AssertionError as error:
            raise AssertionError(
                f"{slot} {declaration} with {surroundings or 'nothing else'}: {error}"
            ) from error
    if len(refused) == len(SURROUNDINGS):
        raise refused[0]


def _placed(slot: str, declaration: str | Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config that holds the component."""
    if slot == "expert":
        mixture = {"kind": "mixture_of_experts", "n_experts": 3, "n_experts_per_token": 2}
        return {"feed_forward": {**mixture, "expert": declaration}}
    if slot == "rotary_scaling":
        return {"position": {"kind": "rotary", "scaling": declaration}}
    if slot not in GPTConfig.model_fields:
        raise ValueError(f"there is no slot `{slot}`; known are {', '.join([*KINDS, 'activation'])}")
    return {slot: declaration}


def check_variant(config: GPTConfig | Mapping[str, Any]) -> None:
    """Run all checks on a model that is small enough to be computed in float64.

    Raises:
        AssertionError: names the check and what does not hold.
        ValueError: the config breaks a rule, or the model is too large.
    """
    config = config if isinstance(config, GPTConfig) else GPTConfig.model_validate(dict(config))
    params = model_cost(config).params
    if params > LARGEST:
        raise ValueError(
            f"the checks compute in float64, for models of up to {LARGEST:,} parameters; got {params:,}: try "
            "the same components in a narrower model with fewer layers"
        )
    for check in CHECKS:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            try:
                check(config)
            except AssertionError as error:
                raise AssertionError(f"{check.__name__}: {error}") from error


def check_round_trip(config: GPTConfig) -> None:
    """JSON and YAML of a config declare the same config."""
    data = config.model_dump(mode="json")
    for language, read in (
        ("JSON", json.loads(json.dumps(data))),
        ("YAML", yaml.safe_load(yaml.safe_dump(data))),
    ):
        again = GPTConfig.model_validate(read)
        _require(again == config, f"what {language} gives back is another config: {again} for {config}")


def check_meta(config: GPTConfig) -> None:
    """A model is built on the meta device with the same tensors as for real, and allocates none."""
    meta, real = build_empty(config), GPTModel(config)
    there, here = (
        {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()} for model in (meta, real)
    )
    _require(there == here, f"on the meta device the tensors are {there}, for real {here}")
    kept = [name for name, tensor in (*meta.named_parameters(), *meta.named_buffers()) if not tensor.is_meta]
    _require(not kept, f"built on the meta device, {', '.join(kept)} takes memory")


def check_initialization(config: GPTConfig) -> None:
    """Every weight and table gets its value when the model draws them, not when its module is made."""
    model = build_empty(config).to_empty(device="cpu")
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.fill_(torch.nan)
        model.reset_parameters()
    left = [name for name, tensor in _tensors(model) if tensor.isnan().any()]
    _require(not left, f"{', '.join(left)} gets no value; set it in `reset_parameters` of its module")


def check_parameters(config: GPTConfig) -> None:
    """The closed forms count the parameters of the built model and of its parts."""
    model, cost = build_empty(config), model_cost(config)
    for name, formula, module in _parts(config, model):
        built = unique_numel(module)
        _require(formula == built, f"{name} has {built} parameters, `params` says {formula}")
    _require(
        cost.params == unique_numel(model),
        f"the model has {unique_numel(model)} parameters, `model_cost` says {cost.params}",
    )


def _parts(config: GPTConfig, model: GPTModel) -> Iterator[tuple[str, int, nn.Module]]:
    """Name, formula and module of each part that has a formula of its own."""
    for index, block in enumerate(model.blocks):
        layer = config.layer(index)
        for name in ("attention", "feed_forward"):
            formula = getattr(layer, name).params(layer)
            yield f"{name} of layer {index}", formula, block.get_submodule(name)
        yield f"layer {index}", layer.block.params(layer), block
    if config.final_norm:
        yield "the norm", config.norm.params(config.emb_dim), model.final_norm
    if model.position is not None:
        yield "the position", config.position.params(config), model.position


def check_flops(config: GPTConfig) -> None:
    """The closed forms count the multiply-accumulates that fvcore and torch count, in each module and in both
    passes, in full and for less."""
    for time in {config.context_length, -(-config.context_length // 2)}:
        wrong = [module for module in reconcile(config, time).modules if not module.agree]
        if wrong:  # what is wrong in a module is wrong in all around it
            inmost = max(wrong, key=lambda module: module.place.depth)
            name = inmost.place.name or "the model"
            counts = inmost.backward if inmost.forward.agree else inmost.forward
            raise AssertionError(
                f"{name} takes {counts.torch} FLOPs as torch counts, fvcore counts {counts.fvcore}, `macs` "
                f"says {counts.closed_form}; {time} tokens, "
                f"{'backward' if inmost.forward.agree else 'forward'}"
            )


def check_shape(config: GPTConfig) -> None:
    """Sequences of any length give finite logits for each token and each entry of the vocabulary."""
    model = randomized(GPTModel(config)).eval()
    for time in range(1, config.context_length + 1):
        logits = model(random_ids(config, batch=2, time=time))
        expected = (2, time, config.vocab_size)
        _require(
            logits.shape == expected, f"logits have the shape {tuple(logits.shape)}, expected {expected}"
        )
        _require(bool(logits.isfinite().all()), f"logits of {time} tokens are not finite")


def check_causality(config: GPTConfig) -> None:
    """The logits of a token depend on it, and on none after it; the proof is their gradient."""
    depends = find_dependence(config)
    ahead = depends.triu(diagonal=1).nonzero().tolist()
    _require(not ahead, f"token {ahead[0][0]} sees token {ahead[0][1]}, which comes later" if ahead else "")
    _require(bool(depends.diagonal().all()), "the logits of a token do not depend on it")


def check_gradients(config: GPTConfig) -> None:
    """Fresh weights and data give a finite loss and a finite gradient for every parameter."""
    model = GPTModel(config).train()
    ids = random_ids(config, batch=2)
    loss = F.cross_entropy(model(ids).flatten(0, 1), ids.flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    _require(bool(loss.isfinite()), f"the loss is {loss.item()}")
    without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    _require(not without, f"{', '.join(without)} gets no gradient")
    broken = [
        name for name, p in model.named_parameters() if p.grad is not None and not p.grad.isfinite().all()
    ]
    _require(not broken, f"{', '.join(broken)} gets a gradient that is not finite")


def check_generation(config: GPTConfig) -> None:
    """Token by token with a cache, after a prompt, the logits are those of the whole sequence at once."""
    model = randomized(GPTModel(config)).eval()
    ids = random_ids(config, batch=2)
    whole = model(ids)
    for prompt in {1, -(-config.context_length // 2)}:
        cache = model.new_cache()
        rest = (ids[:, time : time + 1] for time in range(prompt, config.context_length))
        parts = [ids[:, :prompt], *rest]
        made = torch.cat([model(part, cache=cache) for part in parts], dim=1)
        _require_close(made, whole, f"with a cache, after a prompt of {prompt}, logits differ")


def check_cache_size(config: GPTConfig) -> None:
    """A cache keeps as many numbers as the closed form says, for one token, a few and as many as fit."""
    model = GPTModel(config).eval()
    for time in {1, -(-config.context_length // 2), config.context_length}:
        cache = model.new_cache()
        with torch.no_grad():
            model(random_ids(config, time=time), cache=cache)
        for index, kept in enumerate(cache.layers):
            layer = config.layer(index)
            formula = layer.attention.cache_values(layer, time)
            message = f"layer {index} keeps {kept.values()} numbers of {time} tokens, `cache_values` says"
            _require(formula == kept.values(), f"{message} {formula}")


def check_padding(config: GPTConfig) -> None:
    """Padding to the left of a sequence changes nothing, with and without a cache."""
    model = randomized(GPTModel(config)).eval()
    ids = random_ids(config, batch=2)
    padding = config.context_length // 3
    mask = torch.ones(ids.shape, dtype=torch.bool)
    mask[0, :padding] = False
    alone = model(ids[:1, padding:])
    padded = model(ids, attention_mask=mask)
    _require_close(padded[:1, padding:], alone, f"behind {padding} tokens of padding, logits differ")
    _require_close(padded[1:], model(ids[1:]), "beside a padded sequence, logits of a whole one differ")
    cache, pieces = model.new_cache(), [slice(0, padding + 1), slice(padding + 1, None)]
    parts = [model(ids[:, piece], mask[:, piece], cache) for piece in pieces if ids[:, piece].numel()]
    message = f"behind {padding} tokens of padding, with a cache, logits differ"
    _require_close(torch.cat(parts, dim=1)[:1, padding:], alone, message)


def check_memory(config: GPTConfig) -> None:
    """The closed forms say to the byte what autograd saves, in float32 and under autocast."""
    for step in (
        TrainingStep(2),
        TrainingStep(2, fused_attention=False),
        TrainingStep(2, precision="bfloat16"),
    ):
        try:
            formula = training_memory(config, step).saved_bytes
        except ValueError as error:  # a part that does not say
            raise AssertionError(str(error)) from error
        measured = measure_saved(config, step)
        how = f"{step.precision}, {'fused' if step.fused_attention else 'written-out'} attention"
        _require(formula == measured, f"{measured} bytes are saved, `trace` says {formula}; {how}")


CHECKS: tuple[Callable[[GPTConfig], None], ...] = (
    check_round_trip,
    check_meta,
    check_initialization,
    check_parameters,
    check_flops,
    check_shape,
    check_causality,
    check_gradients,
    check_generation,
    check_cache_size,
    check_padding,
    check_memory,
)


@torch.no_grad()
def randomized(model: GPTModel, spread: float = 0.3) -> GPTModel:
    """The model in float64 with all parameters random: biases start as zeros, which hide mistakes."""
    model = model.double()
    for parameter in model.parameters():
        parameter.normal_(std=spread)
    return model


def random_ids(config: GPTConfig, batch: int = 1, time: int | None = None) -> Int[Tensor, "batch time"]:
    """Tokens at random; as many as the context holds unless told otherwise."""
    return torch.randint(0, config.vocab_size, (batch, time or config.context_length))


def unique_numel(module: nn.Module) -> int:
    """Numbers in the parameters of `module`, a shared one counted once."""
    return sum({id(p): p.numel() for p in module.parameters()}.values())


def find_dependence(config: GPTConfig) -> Bool[Tensor, "time time"]:
    """Whether the logits at t, the row, depend on the embedding of the token at s, by their gradient."""
    model = randomized(GPTModel(config)).eval()
    embedded: list[Tensor] = []
    model.token_table.register_forward_hook(lambda module, inputs, output: embedded.append(output))
    logits = model(random_ids(config))
    weights = torch.randn(config.vocab_size, dtype=torch.float64)  # so that no two gradients cancel
    rows = []
    for t in range(config.context_length):
        (gradient,) = torch.autograd.grad(logits[0, t] @ weights, embedded[0], retain_graph=True)
        rows.append(gradient[0].ne(0).any(dim=-1))
    return torch.stack(rows)


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _require_close(found: Tensor, expected: Tensor, message: str) -> None:
    error = (found - expected).abs().max() / expected.abs().max().clamp(min=1)
    _require(bool(error <= TOLERANCE), f"{message} by {error:.1e} of the largest")
