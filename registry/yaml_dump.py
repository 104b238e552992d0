"""Plain data written as YAML that `load_document` reads back as the same data."""

from typing import Any

import yaml
from yaml.emitter import Emitter
from yaml.representer import SafeRepresenter
from yaml.serializer import Serializer

from registry.yaml_scalars import CoreResolver


class _Dumper(Emitter, Serializer, SafeRepresenter, CoreResolver):
    def __init__(self, stream: Any, **options: Any) -> None:
        emitter = {
            key: options[key] for key in ("canonical", "indent", "width", "allow_unicode", "line_break")
        }
        Emitter.__init__(self, stream, **emitter)
        Serializer.__init__(self)
        SafeRepresenter.__init__(self, default_flow_style=False, sort_keys=False)
        CoreResolver.__init__(self)

    def ignore_aliases(self, data: Any) -> bool:
        return True  # the reader refuses anchors


def dump_document(data: dict[str, Any]) -> str:
    """YAML text of plain data: mappings, lists, text, numbers, booleans, None.

    Raises:
        yaml.representer.RepresenterError: A value is no plain data.
    """
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, width=110)
