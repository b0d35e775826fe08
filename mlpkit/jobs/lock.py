"""What a run's result depends on beside its spec: versions and checksums."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpkit.jobs.resolved_spec import spec_hash
from mlpkit.registry.distributions import version_of
from mlpkit.runs.lock import lock_contents
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.components.dataset import Dataset
    from mlpkit.registry.plugin import Plugin
    from mlpkit.spec.spec import Spec

_MODULE = "module "


def lock_of(spec: Spec, resolved: str, dataset: Dataset) -> dict[str, Any]:
    """Return the plain data of lock.json.

    Args:
        spec: the spec.
        resolved: its text with every default filled in.
        dataset: its data, opened.
    """
    named = [plugin for plugin in spec.registry.used() if not plugin.built_in]
    return lock_contents(
        version=VERSION,
        spec_hash=spec_hash(resolved),
        data_checksum=dataset.fingerprint() or None,
        plugins=dict(_version(plugin) for plugin in named),
        requires={name: version_of(name) or "" for name in spec.requires},
        computed_by=spec.registry.computed_by(),
    )


def _version(plugin: Plugin) -> tuple[str, str]:
    """Return a distribution and its version; of a file or module, its namespace and the SHA-256 of its text."""
    if plugin.version:
        return plugin.source, plugin.version
    module = sys.modules.get(plugin.source.removeprefix(_MODULE)) if plugin.source.startswith(_MODULE) else None
    file = Path(getattr(module, "__file__", None) or plugin.source)
    text = file.read_bytes() if file.is_file() else b""
    return plugin.namespace, f"sha256 {hashlib.sha256(text).hexdigest()}" if text else ""
