"""How a method is written down in messages: as one would begin to write it, without annotations."""

from __future__ import annotations

import inspect
from typing import Any


def method_signature(method: Any) -> inspect.Signature:
    """Return the signature of a function or a class method as it stands in its class, ``self`` and ``cls`` included."""
    return inspect.signature(method.__func__ if isinstance(method, classmethod) else method)


def plain_call(name: str, method: Any) -> str:
    """Return, say, ``backward(self, dy)``.

    Args:
        name: the method's name.
        method: the function or class method.
    """
    signature = method_signature(method)
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=plain, return_annotation=inspect.Signature.empty)}"
