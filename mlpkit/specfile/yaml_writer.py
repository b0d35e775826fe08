"""How a value is written in a spec, on one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


def to_inline_yaml(value: Any) -> str:
    """Write a value as a spec would say it, on one line."""
    text = yaml.safe_dump(
        _plain(value), default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
