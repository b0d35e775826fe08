"""How a spec is written: in the dialect that it is read in, so that reading gives back what was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from mlpkit.specfile.python_spec import scalar_of
from mlpkit.specfile.variables import escape
from mlpkit.specfile.yaml_parser import resolve_plain

STRING: Final = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer, which puts a text in quotes if YAML 1.1 or the dialect of specs would read something else."""

    def resolve(self, kind: type[Any], value: Any, implicit: tuple[bool, bool]) -> Any:
        """Return what a scalar without quotes would be."""
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        if tag == STRING and kind is yaml.ScalarNode and implicit[0] and not _is_text(value):
            return None
        return tag

    def check_simple_key(self) -> bool:
        """Return that every key and its colon are on one line: specs have no other keys."""
        super().check_simple_key()
        return True

    def ignore_aliases(self, data: Any) -> bool:
        """Return that a value is written out everywhere: specs have no aliases."""
        return True


class _InlineDumper(_Dumper):
    """The same, on one line."""


def _one_line(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(STRING, text, style='"' if "\n" in text else None)


_InlineDumper.add_representer(str, _one_line)


def to_yaml(value: Any, *, with_names: bool = False) -> str:
    """Write a value as the text of a spec; ``$`` is written ``$$``, except in one whose variables aren't put in yet."""
    return _dumped(value if with_names else _plain(value), _Dumper, None, 100)


def to_inline_yaml(value: Any) -> str:
    """Write a value as in a spec, on one line."""
    return _inline(_plain(value))


def value_or_not_set(value: object) -> str:
    """Return a value in a spec's notation; what isn't set, in words."""
    return "not set" if value is None else to_inline_yaml(value)


def to_inline_key(key: str) -> str:
    """Write a key of a mapping; unlike a value, it is never a variable, so that its dollars stay as they are."""
    return _inline(key)


def _inline(value: Any) -> str:
    text = _dumped(value, _InlineDumper, True, float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")


def _dumped(value: Any, dumper: type[_Dumper], flow_style: bool | None, width: float) -> str:
    text: str = yaml.dump(
        value, Dumper=dumper, default_flow_style=flow_style, width=width, sort_keys=False, allow_unicode=True
    )
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    try:
        return scalar_of(value)
    except ValueError:  # no spec can hold it, but a message can show it
        return escape(str(value))


def _is_text(plain: str) -> bool:
    try:
        return isinstance(resolve_plain(plain), str)
    except ValueError:
        return False
