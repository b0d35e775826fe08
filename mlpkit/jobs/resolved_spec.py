"""The text of resolved.yaml: a spec with every default filled in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from mlpkit.spec.spec import Spec
    from mlpkit.training.plan import Plan


def resolved_text(spec: Spec, plan: Plan) -> str:
    """Return the spec with every default, and the plan that was chosen, written out.

    Args:
        spec: the spec.
        plan: how a step is computed.
    """
    plain = spec.resolved(slices=plan.slices, threads=plan.threads)
    return yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=100, allow_unicode=True)


def spec_hash(text: str) -> str:
    """Return the SHA-256 of a resolved spec's text."""
    return hashlib.sha256(text.encode()).hexdigest()
