"""What a family of the Hugging Face hub is, and the vocabulary in which one is written down.

To add a family, write one file in this folder that makes a `FAMILY`; it is found by itself. It has two
tables, read in both directions; nothing else is needed to import a folder, nor to export one.

`config` has a row for each field of config.json that says what is computed:

    Field("hidden_size", "emb_dim")                  the same under another name
    Field("hidden_act", "activation", "gelu", ACTIVATIONS)     with a default, and names translated
    Only("pretraining_tp", 1)                        a field of which one value is supported
    KeyValueHeads(), Rotary(), Window(), SlidingLayers(), Dropout(...)     what many families have
    SlidingRotary(...)                               layers with a window that turn by other angles
    Nested("attn_config", [...])                     rows for the fields of a mapping
    Computed({"a": 1.0, "b": None}, reads, writes)   anything else: two small functions in the family's file

- A row sees what rows above it gave, so sizes come first.
- Defaults are those of the family's class in `transformers`, which holds for a field that is absent. A test
  compares them, and asks that every field of that class is known: to a row, to `ignored`, or to
  `engine.shared_rules.NOT_COMPUTED`. Any other field in a config.json is an error.
- `always` has what all models of the family are, by path: `{"norm.kind": "rms_norm"}`. What neither it nor a
  row gives has our default.
- Layers that differ: a row gives `{"layers": [...]}`, one partial config a layer (`{}` where there is nothing
  to say). The rows' lists are merged and written as shortly as can be. A row that writes finds each layer,
  nested, in `meaning.layers`; `meaning.config` is the GPTConfig.
- A row that writes need not notice what it cannot express: what is written is read back and compared.

`tensors` has a row for each tensor, with `{i}` for the layer and `{e}` for the expert:

    *norm("model.norm", "final_norm")              weight and bias, as our scale and shift
    *linear("model.layers.{i}.self_attn.o_proj", "blocks.{i}.attention.output")      weight and bias
    *fused("h.{i}.attn.c_attn", QKV)               maps in one tensor, one after the other
    *fused_heads("h.{i}.attention.query_key_value")          queries, keys and values head by head
    Same("model.layers.{i}.self_attn.sinks", "blocks.{i}.attention.sinks")     one tensor
    Transposed, Shifted, Fused, FusedHeads, Stacked (experts in one tensor)     other single tensors

A row is used where our model has the tensors, so rows for biases that only some models have just stand there.
Tensors of a folder that no row asks for are an error, unless `ignored_tensors` names them.

Then `tests/gpt_zoo_tests/families/cases_FAMILY.py` has a few small configs of it, and the contract tests hold
its logits, generation, defaults and errors against `transformers`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gpt_zoo.families.engine.config_rules import (
    REQUIRED,
    Computed,
    Dropout,
    Field,
    Hub,
    KeyValueHeads,
    Only,
    Ours,
    Rule,
    attention_kind,
    unsupported,
)
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.layer_rules import (
    FULL,
    SLIDING,
    SlidingLayers,
    Window,
    alternating,
    narrow,
    read_layer_types,
)
from gpt_zoo.families.engine.meaning import Meaning
from gpt_zoo.families.engine.nested_rules import Nested
from gpt_zoo.families.engine.rotary_rules import Rotary, read_rope, write_rope, yarn_temperature
from gpt_zoo.families.engine.shared_rules import ACTIVATIONS
from gpt_zoo.families.engine.sliding_rotary import SlidingRotary
from gpt_zoo.families.engine.tensor_rules import (
    GATE_UP,
    QKV,
    Fused,
    FusedHeads,
    Same,
    Shifted,
    Stacked,
    TensorRule,
    Transposed,
    fused,
    fused_heads,
    linear,
    norm,
)

__all__ = [
    "ACTIVATIONS",
    "FULL",
    "GATE_UP",
    "QKV",
    "REQUIRED",
    "SLIDING",
    "Computed",
    "Dropout",
    "Family",
    "Field",
    "Fused",
    "FusedHeads",
    "Hub",
    "HubError",
    "KeyValueHeads",
    "Meaning",
    "Nested",
    "Only",
    "Ours",
    "Rotary",
    "Rule",
    "Same",
    "Shifted",
    "SlidingLayers",
    "SlidingRotary",
    "Stacked",
    "TensorRule",
    "Transposed",
    "Window",
    "alternating",
    "attention_kind",
    "fused",
    "fused_heads",
    "linear",
    "narrow",
    "norm",
    "read_layer_types",
    "read_rope",
    "unsupported",
    "write_rope",
    "yarn_temperature",
]


@dataclass(frozen=True)
class Family:
    """A kind of model that `transformers` knows, as rows that translate it.

    Args:
        model_type: As in config.json.
        architecture: Its class for causal language models.
        config: Rows for the fields of config.json.
        tensors: Rows for the tensors.
        always: Ours that hold for the whole family, by path.
        ignored: Fields that change nothing of what is computed, beyond those that no family minds.
        prefix: What tensors' names start with except the head's; folders of the bare model leave it out.
        ignored_tensors: Tensors that are no weights, with `*` for anything.
        also_called: Other values of `model_type` for the same.
        renamed: Other names of fields, each with the one that a row has.
    """

    model_type: str
    architecture: str
    config: Sequence[Rule]
    tensors: Sequence[TensorRule]
    always: Mapping[str, Any] = field(default_factory=dict)
    ignored: frozenset[str] | set[str] = frozenset()
    prefix: str = "model."
    ignored_tensors: Sequence[str] = ("*.rotary_emb.inv_freq",)
    also_called: Sequence[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
