"""The text of resolved.yaml: a spec with every default filled in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import yaml

from mlpkit.components.schema.fault import Fault
from mlpkit.errors import SpecSchemaError
from mlpkit.spec.limits import LARGEST_TEXT

if TYPE_CHECKING:
    from mlpkit.spec.spec import Spec
    from mlpkit.training.plan import Plan


def resolved_text(spec: Spec, plan: Plan) -> str:
    """Return the spec with every default, and the plan that was chosen, written out.

    Args:
        spec: the spec.
        plan: how a step is computed.

    Raises:
        SpecSchemaError: it is too long to be read again.
    """
    plain = spec.resolved(slices=plan.slices, threads=plan.threads)
    text = yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=100, allow_unicode=True)
    if len(text.encode()) > LARGEST_TEXT:
        message = f"with every default filled in, the spec is larger than {LARGEST_TEXT // 1024**2} MiB"
        raise spec.error(SpecSchemaError, [Fault((), message, remedy="write fewer or shorter values")])
    return text


def spec_hash(text: str) -> str:
    """Return the SHA-256 of a resolved spec's text."""
    return hashlib.sha256(text.encode()).hexdigest()
