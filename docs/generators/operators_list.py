"""The list of the ONNX operators that mlpkit knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.exports.c.operators import OPERATORS as IN_C
from mlpkit.exports.c.operators import VIEWS
from mlpkit.graph.evaluator import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterable


def operators_list() -> str:
    """Return a sentence for each of ONNX's domains, and one on those that C lacks, if there are any."""
    domains = sorted({domain for domain, _ in OPERATORS})
    sentences = [_sentence(domain) for domain in domains]
    missing = [name for domain, name in OPERATORS if (domain, name) not in IN_C and name not in VIEWS]
    if missing:
        sentences.append(f"Exports to `.c` lack {_listed(missing)}.")
    return "\n\n".join(sentences) + "\n"


def _sentence(domain: str) -> str:
    names = _listed(name for of, name in OPERATORS if of == domain)
    return f"Of the domain `{domain}`: {names}." if domain else f"{names}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
