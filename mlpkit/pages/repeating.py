"""What is needed to repeat a run: its spec, versions, data and commands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

from mlpkit.jobs.run_inputs import PLUGIN_FILES, PLUGINS
from mlpkit.pages.parts import folded, heading, paragraph, preformatted, section, table

OF_A_FILE: Final = "sha256 "
"""How the version of a plugin starts that isn't a package."""
LONGEST_SPEC: Final = 60_000
"""Characters of a spec that are shown."""


def spec_section(written: str, resolved: str) -> str:
    """Return the spec as its author wrote it, and with every default filled in, both folded."""
    return section(
        "Spec",
        folded("As written", preformatted(_cut(written))),
        folded("With every default filled in", preformatted(_cut(resolved))),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SPEC else f"{text[:LONGEST_SPEC]}\n... cut here; the rest is in the run folder"


def repeating_section(name: str, lock: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Return commands that repeat a run, and what its results depend on."""
    plugins = {name: str(version) for name, version in lock.get(PLUGINS, {}).items()}
    packages = {
        "mlpkit": lock.get("mlpkit"),
        "numpy": lock.get("environment", {}).get("numpy"),
        **lock.get("requires", {}),
    }
    packages |= {each: version for each, version in plugins.items() if not version.startswith(OF_A_FILE)}
    with_files = plugin_options(lock)
    commands = [
        f"pip install {' '.join(f'{each}=={version}' for each, version in packages.items() if version)}",
        *(f"mlpkit {command}{with_files}" for command in _commands(name, lock)),
    ]
    return section(
        "To repeat this run",
        paragraph(
            "Run these commands in the folder that contains the run folder; repro trains again and compares every "
            "byte of the results."
        ),
        preformatted("\n".join(commands)),
        heading("What the results depend on"),
        table(["name", "value"], [*_flat(plan), *_flat(lock)], caption="Plan, versions and checksums", texts=[0, 1]),
    )


def _commands(name: str, lock: Mapping[str, Any]) -> list[str]:
    """Return the commands that repeat a run; one that continues another is continued from there again."""
    again, origin = shlex.quote(f"{name}-again"), lock.get("continues")
    if origin:
        return [f"resume {shlex.quote(origin['run'])} {origin.get('until', '')} --out {again}"]
    return [f"repro {shlex.quote(name)}", f"run {shlex.quote(f'{name}/resolved.yaml')} --out {again}"]


def plugin_options(lock: Mapping[str, Any]) -> str:
    """Return the options that name the plugins of a run that are files, with a space before each; or nothing."""
    return "".join(f" --plugin {shlex.quote(str(file))}" for file in lock.get(PLUGIN_FILES, {}).values())


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the values of nested mappings, each after its dotted key; what is empty is left out."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{name}.")
        elif value not in (None, [], ""):
            found.append((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return found
