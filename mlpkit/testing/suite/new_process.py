"""The program that loads a plugin in a new process and prints what that did, as JSON.

python -m mlpkit.testing.suite.new_process NAMESPACE [FILE]
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import sys
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.kinds import KINDS
from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import PluginError, SpecError
from mlpkit.jobs.build import build
from mlpkit.jobs.init import shipped_specs
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.spec import load_spec
from mlpkit.testing.outside_network import random_targets
from mlpkit.testing.suite.process_state import changes, process_state
from mlpkit.training.update import Updater

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 3
ROWS = 8


def main(namespace: str, *files: str) -> None:
    """Load the plugin and its components, and print what that did."""
    for kind in KINDS.values():
        kind.base_class()
    registry = Registry.discover(plugins=files)
    plugin = next(plugin for plugin in registry.plugins if plugin.namespace == namespace)
    results_before = results_of_shipped_specs()
    report = Observations()
    report.observe(namespace, plugin.ensure_loaded)
    for declaration in plugin.declarations.values():
        entry = RegisteredComponent(plugin, declaration)
        report.observe(entry.name, lambda entry=entry: _load(entry))  # type: ignore[misc]
    results = {"results_before": results_before, "results_after": results_of_shipped_specs()}
    sys.__stdout__.write("\n" + json.dumps(vars(report) | results) + "\n")  # type: ignore[union-attr]


class Observations:
    """What each import did."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.changed: dict[str, list[str]] = {}
        self.printed: dict[str, str] = {}

    def observe(self, name: str, load: Callable[[], object]) -> None:
        """Import something, and note what that does."""
        before, output = _state(), io.StringIO()
        began = time.process_time()
        with redirect_stdout(output), redirect_stderr(output):
            load()
        self.seconds[name] = time.process_time() - began
        self.changed[name] = changes(before, _state())
        self.printed[name] = output.getvalue()


def results_of_shipped_specs() -> str:
    """Return a checksum of a few steps of every shipped spec, on random examples, or of why it can't be loaded."""
    digest = hashlib.sha256()
    for path in shipped_specs().values():
        try:
            spec = load_spec(path)
        except SpecError as error:  # a component may need a library that is not installed
            digest.update(str(error).encode())
            continue
        network = build(spec)
        assert network.target is not None
        rng = keyed_generator(0, "inertness")
        x = rng.normal(size=(ROWS, *network.input_shape)).astype(network.dtype)
        t = random_targets(network.target, ROWS, rng, network.dtype)
        update = Updater(spec.training.optimizer(), network)
        network.set_training(True)
        for step in range(STEPS):
            digest.update(repr(network.loss_and_gradient(x, t, step)).encode())
            update(0.01, step + 1)
        digest.update(network.values.tobytes())
        digest.update(network.predict(x).tobytes())
    return digest.hexdigest()


def _state() -> dict[str, Any]:
    generators = {
        "the state of numpy.random": repr(np.random.get_state()),
        "the state of random": random.getstate(),
    }
    return process_state() | generators


def _load(entry: RegisteredComponent) -> None:
    with suppress(PluginError):  # another check says so
        entry.component  # noqa: B018 - imports it


if __name__ == "__main__":
    main(*sys.argv[1:])
