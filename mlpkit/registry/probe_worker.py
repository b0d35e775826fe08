"""The subprocess in which plugins are loaded; see ``probe.py``."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpkit.registry.error_summary import error_summary
from mlpkit.registry.origin import load_target
from mlpkit.registry.plugin import Plugin
from mlpkit.registry.probe import Verdict, verdict_here


@dataclass(frozen=True)
class DescribedOrigin:
    """The origin of a plugin as the other process describes it.

    Args:
        source: what to call it in messages.
        version: its version.
        target: what to load.
    """

    source: str
    version: str
    target: Path | str
    file: str = ""
    incompatibility: str = ""

    def load(self) -> object:
        """Load it."""
        return load_target(self.target)


def main() -> None:
    """Read which plugins to look at, and write a verdict a line, up to the first on one that is not sound."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())  # whatever plugins print
    request = json.load(sys.stdin)
    for described in request["plugins"]:
        verdict = _verdict(_plugin(described), request["with_components"])
        answers.write(json.dumps([verdict.reason, verdict.provided]).encode() + b"\n")
        answers.flush()
        if not verdict.sound:
            break
    os._exit(0)  # what plugins have registered to be run at the end is not


def _plugin(described: dict[str, Any]) -> Plugin:
    target = Path(described["file"]) if "file" in described else described["object"]
    return Plugin(described["namespace"], DescribedOrigin(described["source"], described["version"], target))


def _verdict(plugin: Plugin, with_components: bool) -> Verdict:
    try:
        return verdict_here(plugin, with_components=with_components)
    except BaseException as error:  # a plugin may raise KeyboardInterrupt
        return Verdict(error_summary(error))
