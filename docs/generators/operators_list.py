"""The list of the ONNX operators that mlpkit knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.graph.evaluator import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterable


def operators_list() -> str:
    """Return a sentence for each of ONNX's domains."""
    return "\n\n".join(_sentence(domain) for domain in sorted({domain for domain, _ in OPERATORS})) + "\n"


def _sentence(domain: str) -> str:
    names = _listed(name for of, name in OPERATORS if of == domain)
    return f"Of the domain `{domain}`: {names}." if domain else f"{names}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
