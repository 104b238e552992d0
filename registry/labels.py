"""Short names for the options of a choice, for tables, plots and storages that hold plain values only."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

Primitive = str | int | float | bool | None


def label_options(options: Sequence[Any]) -> tuple[Primitive, ...]:
    """One label an option, different for different options.

    A plain value is its own label. A mapping has its `kind`, and where several options are of that kind, what
    sets it apart from them: `grouped_query(n_kv_heads=2)`. Failing that, the JSON of the option.
    """
    shared = _count_fields(options)
    kinds = Counter(_kind(option) or option for option in options if _kind(option) or is_plain(option))

    def short(option: Any) -> Primitive:
        kind = _kind(option)
        if is_plain(option):
            return option  # type: ignore[no-any-return]
        if kind is None:
            return _json(option)
        if kinds[kind] == 1:
            return kind
        own = [
            f"{key}={value if isinstance(value, str) else _json(value)}"
            for key, value in option.items()
            if key != "kind" and is_plain(value) and shared[kind, key, _json(value)] < kinds[kind]
        ]
        return f"{kind}({', '.join(own)})" if own else kind

    labels = [short(option) for option in options]
    counts = Counter(labels)
    return tuple(
        label if is_plain(option) or counts[label] == 1 else _json(option)
        for option, label in zip(options, labels, strict=True)
    )


def is_plain(value: Any) -> bool:
    """Whether a value can be a label itself."""
    return value is None or isinstance(value, str | int | float)


def _kind(option: Any) -> str | None:
    kind = option.get("kind") if isinstance(option, dict) else None
    return kind if isinstance(kind, str) else None


def _count_fields(options: Sequence[Any]) -> Counter[tuple[str, str, str]]:
    """How many options of a kind have the same value under a key."""
    return Counter(
        (kind, key, _json(value))
        for option in options
        if (kind := _kind(option)) is not None
        for key, value in option.items()
    )


def _json(value: Any) -> str:
    return json.dumps(value, default=lambda domain: domain.to_data(), sort_keys=True, separators=(",", ":"))
