"""The list of the ONNX operators that mlpkit knows."""

from __future__ import annotations

from mlpkit.exports.evaluator import OPERATORS


def operators_list() -> str:
    """Return a sentence for each of ONNX's domains."""
    domains = sorted({domain for domain, _ in OPERATORS})
    return "\n\n".join(_sentence(domain) for domain in domains) + "\n"


def _sentence(domain: str) -> str:
    names = ", ".join(f"`{name}`" for of, name in sorted(OPERATORS) if of == domain)
    return f"Of the domain `{domain}`: {names}." if domain else f"{names}."
