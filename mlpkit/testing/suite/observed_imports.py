"""Observes the side effects of importing a plugin, in a subprocess that hasn't loaded the plugin yet."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import numpy as np

from mlpkit.components.kinds import KINDS
from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import PluginError, SpecError
from mlpkit.jobs.build import build
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.second_process import NoAnswerError, answers_of
from mlpkit.specfile.shipped_specs import QUICK, shipped_specs
from mlpkit.specfile.spec import load_spec
from mlpkit.testing.outside_network import random_targets
from mlpkit.testing.suite.check import NotApplicable
from mlpkit.training.update import Updater

LONGEST_SECONDS = 120.0
STEPS = 3
ROWS = 8


@dataclass
class ObservedImports:
    """Side effects of importing a plugin and then each of its components, after mlpkit and NumPy.

    Args:
        results_before: checksum of a few steps of every quick shipped spec, before the plugin was loaded.
        results_after: the same checksum afterwards.
        seconds: processor time of imports, by the component's name, or by the namespace for the plugin itself.
        changed: settings that the imports changed, by the same names, and output that they printed.
    """

    results_before: str = ""
    results_after: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)

    def observe(self, name: str, load: Callable[[], object]) -> None:
        """Import something, and record the side effects."""
        before, output = process_state(), io.StringIO()
        start = time.process_time()
        with redirect_stdout(output), redirect_stderr(output):
            load()
        self.seconds[name] = time.process_time() - start
        printed = [f"the output, with {output.getvalue()!r}"] if output.getvalue() else []
        self.changed[name] = changes(before, process_state()) + printed


@cache
def observed_imports(namespace: str, arguments: tuple[str, ...] | None) -> ObservedImports:
    """Import a plugin in a subprocess, once, and return the side effects.

    Args:
        namespace: the plugin's namespace.
        arguments: the path of the plugin if it is not installed; None if another process can't find it.
    """
    if arguments is None:
        raise NotApplicable("a new process can't import this class: name its plugin instead")
    with answers_of(f"{__name__}:observe", [namespace, *arguments], LONGEST_SECONDS) as answers:
        try:
            return ObservedImports(**next(answers))
        except NoAnswerError as error:
            msg = f"the plugin {namespace} in a new process: {error}"
            raise RuntimeError(msg) from None


def observe(request: list[str]) -> Iterator[dict[str, Any]]:
    """Import a plugin and its components, and yield the side effects."""
    namespace, *files = request
    for kind in KINDS.values():
        kind.base_class()
    registry = Registry.discover(plugins=files)
    plugin = next(plugin for plugin in registry.plugins if plugin.namespace == namespace)
    observed = ObservedImports(results_of_shipped_specs())
    observed.observe(namespace, plugin.load)
    for declaration in plugin.declarations.values():
        entry = RegisteredComponent(plugin, declaration)
        observed.observe(entry.name, lambda entry=entry: _load(entry))  # type: ignore[misc]
    observed.results_after = results_of_shipped_specs()
    yield asdict(observed)


def results_of_shipped_specs() -> str:
    """Return a checksum of a few steps of each quick shipped spec on random examples, or of its loading error."""
    digest = hashlib.sha256()
    for path in shipped_specs(QUICK).values():
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


def _load(entry: RegisteredComponent) -> None:
    with suppress(PluginError):  # reported by another check
        entry.component  # noqa: B018 - imports it


def process_state() -> dict[str, Any]:
    """Return settings of the process that a component mustn't change, by name."""
    return {
        "NumPy's error settings": np.geterr(),
        "NumPy's print options": np.get_printoptions(),
        "the environment": dict(os.environ),
        "the working folder": os.getcwd(),  # noqa: PTH109 - compared, not used
        "the import path": list(sys.path),
        "the running threads": {thread.ident for thread in threading.enumerate()},
        "the state of numpy.random": repr(np.random.get_state()),
        "the state of random": random.getstate(),
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the names of settings that differ; in a set, only new elements count, since others' threads may end."""
    return [what for what, old in before.items() if (after[what] - old if isinstance(old, set) else after[what] != old)]


@contextmanager
def process_kept() -> Iterator[dict[str, Any]]:
    """Restore the settings that can be restored afterwards."""
    state, numbers = process_state(), np.random.get_state()
    try:
        yield state
    finally:
        np.random.set_state(numbers)
        random.setstate(state["the state of random"])
        np.seterr(**state["NumPy's error settings"])
        np.set_printoptions(**state["NumPy's print options"])
        os.chdir(state["the working folder"])
        os.environ.clear()
        os.environ.update(state["the environment"])
        sys.path[:] = state["the import path"]
