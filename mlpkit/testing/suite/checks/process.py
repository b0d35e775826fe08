"""Checks of components of every kind: side effects on the process, and a short training."""

from __future__ import annotations

import json
import random
import threading
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.component import Component
from mlpkit.components.input_columns import columns_of, columns_to_plain
from mlpkit.components.kinds import IN_SPECS, KINDS
from mlpkit.components.operation import Operation
from mlpkit.components.parameter import Parameter
from mlpkit.components.schema.wording import with_article
from mlpkit.components.target import Values, target_to_plain
from mlpkit.jobs.load_model import load_trained
from mlpkit.jobs.train import train_spec
from mlpkit.network.component_errors import innermost_operation, shapes_of
from mlpkit.specfile.key_types import FORMAT, FORMAT_KEY
from mlpkit.specfile.spec import parse_spec
from mlpkit.testing.suite.check import (
    Arrays,
    CheckFailure,
    NotApplicable,
    check_same_bits,
    checks_component,
    checks_examples,
    described,
    require,
)
from mlpkit.testing.suite.checks.fitted import CalibrationExample
from mlpkit.testing.suite.checks.layer import LayerExample
from mlpkit.testing.suite.checks.loss import LossExample
from mlpkit.testing.suite.doubles import NAMESPACE
from mlpkit.testing.suite.observed_imports import changes, process_kept, process_state
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest, Example

LONGEST: Final = 1.0
"""The largest processor time of an import, in seconds; NumPy takes a tenth, SciPy's largest parts less than half."""


@checks_component(*KINDS)
def import_is_quick(subject: ComponentUnderTest) -> None:
    """Does importing the plugin and the component take less than a second of processor time, without NumPy?

    Every command that uses the component spends this time, even ``mlpkit check``.
    """
    seconds = subject.seen_from_new_process().seconds
    spent = seconds[subject.entry.plugin.namespace] + seconds.get(subject.name, 0.0)
    remedy = "import slow libraries within the methods that need them, and compute nothing at import"
    happened = f"importing the component took {spent:.1f} s"
    require(spent <= LONGEST, happened, expected=f"at most {LONGEST:g} s", remedy=remedy)


@checks_component(*KINDS)
def import_leaves_the_process_alone(subject: ComponentUnderTest) -> None:
    """Does importing print nothing, and leave NumPy's settings, the environment, random states and threads unchanged?

    A plugin may be imported because of another component of its package, and a text would end up in pipes.
    """
    by_name = subject.seen_from_new_process().changed
    changed = by_name[subject.entry.plugin.namespace] + by_name.get(subject.name, [])
    remedy = "do it within the methods that need it, and undo it there"
    happened = f"importing the component changed {', '.join(changed)}"
    require(not changed, happened, expected="no such changes", remedy=remedy)


@checks_component(*KINDS)
def other_specs_keep_their_results(subject: ComponentUnderTest) -> None:
    """Do the shipped specs give the same bits before and after loading the plugin and all its components?

    Installing a plugin must not change the results of specs that don't use it.
    """
    report = subject.seen_from_new_process()
    happened = "loading the plugin changed the results of specs that don't use it"
    are_same, remedy = report.results_after == report.results_before, "don't replace functions of other modules"
    require(are_same, happened, expected="the same bits", remedy=remedy)


@checks_examples(*KINDS)
def the_process_is_left_alone(example: Example) -> None:
    """Are NumPy's settings, the environment, the working folder, its files, and global random numbers left alone?

    They belong to the program that uses mlpkit, and results may depend on them.
    """
    with TemporaryDirectory() as folder, chdir(folder), process_kept() as before:
        example.exercise()
        for thread in threading.enumerate():
            if thread.ident not in before["the running threads"]:
                thread.join(1.0)  # a library may not wait for the end of its own
        changed = changes(before, process_state()) + sorted(path.name for path in Path(folder).iterdir())
    require(
        not changed,
        f"using the component changed {', '.join(changed)}",
        expected="no such changes",
        remedy="change settings in a with block, write into training.folder, and draw from the generator passed in",
    )


@checks_examples(*KINDS)
def the_same_twice_gives_the_same_bits(example: Example) -> None:
    """Do two new objects give the same bits, for any seeds of ``numpy.random`` and ``random``?

    The same spec and seed must give the same run.
    """
    results: list[Arrays] = []
    with process_kept():
        for seed in (1, 2):
            np.random.seed(seed)
            random.seed(seed)
            results.append(example.exercise())
    remedy = "draw only from the generator passed in, and let nothing depend on time or on the order of a set"
    check_same_bits(results[1], results[0], "in a second object, with another global seed", remedy)


IN_TRAINING: Final = tuple(kind for kind in IN_SPECS if kind != "initializer")
"""The kinds that take part in a training; the values of an initializer are those of a layer's parameters then."""


@checks_examples(*IN_TRAINING)
def trains_saves_and_loads(example: Example) -> None:
    """Does a short training run, and does the model file restore exactly the trained network?

    Everything that a model needs must be in parameters, in state, or in the spec; all else is lost when the process
    ends.
    """
    spec = parse_spec(json.dumps(spec_with(example)), name=example.name, registry=example.registry)
    with TemporaryDirectory() as folder:
        dataset = example.make() if example.entry.kind == "dataset" else None
        run = train_spec(spec, Path(folder) / "run", dataset=dataset)
        x = example.random("inputs").uniform(size=(5, *run.network.input_shape))
        loaded = load_trained(Path(folder) / "run" / "model.safetensors", example.registry)
        run.network.encoder = loaded.network.encoder = None  # random inputs, which no encoder made
        expected, found = run.network.predict(x), loaded.network.predict(x)
    remedy = "declare everything that forward needs with self.parameter or self.state"
    what = "the prediction"
    check_same_bits({what: found}, {what: expected}, "of the network that was saved and loaded", remedy)


def spec_with(example: Example) -> dict[str, Any]:
    """Return a spec with the component in its place, and test doubles for all other components."""
    written = {example.name: example.parameters()}
    shape: tuple[int, ...] = (6,)
    target: Any = Values((6,))
    if isinstance(example, LayerExample):
        shape = example.shape
    elif isinstance(example, LossExample):
        shape, target = example.shape, example.target
    elif example.entry.kind == "augmentation":
        shape = example.shown_with()
    elif example.entry.kind == "metric":
        target = example.shown_with()
        shape = np.shape(example.predictions(1).x)[1:]  # type: ignore[attr-defined]
    elif isinstance(example, CalibrationExample):
        shape, target = (example.variant.count,), example.variant
    columns = columns_of(shape)
    data = {"input_shape": shape, "target": target_to_plain(target), "columns": columns_to_plain(columns)}
    parts: dict[str, Any] = {
        "dataset": {f"{NAMESPACE}.fake_dataset": data},
        "optimizer": f"{NAMESPACE}.fake_optimizer",
        "loss": f"{NAMESPACE}.FakeLoss",
    }
    training: dict[str, Any] = {"batch_size": 4, "iterations": 6, "evaluate_every": 3}
    match example.entry.kind:
        case "schedule":
            parts["optimizer"] = {parts["optimizer"]: {"learning_rate": written}}
        case "augmentation" | "metric" | "callback" as kind:
            key = {"augmentation": "augment", "metric": "metrics", "callback": "callbacks"}[kind]
            training[key] = [written]
        case kind:
            parts[kind] = written
    layers: list[Any] = [f"{NAMESPACE}.FakeLayer", *([written] if example.entry.kind == "layer" else [])]
    layers = [*(layers[::-1] if columns else layers), parts["loss"]]  # columns of the data are known only at the input
    training["optimizer"] = parts["optimizer"]
    keys = {"name": "conformance", "data": parts["dataset"], "layers": layers, "training": training}
    return {FORMAT_KEY: FORMAT, **keys, **({"calibration": written} if example.entry.kind == "calibration" else {})}


NUMBERS = "biuf"
"""The kinds of dtype that results may have: Booleans, integers, floating-point numbers."""


@checks_examples(*KINDS)
def can_be_used(example: Example) -> None:
    """Can the component be used as in training, on random inputs, and are the results numbers?

    Otherwise no other check makes sense.
    """
    try:
        with process_kept(), TemporaryDirectory() as folder, chdir(folder):
            results = example.exercise()  # other checks find its side effects
    except (CheckFailure, NotApplicable):
        raise
    except Exception as error:
        expected = "it to work on random inputs" if example.entry.kind in IN_SPECS else "no exception"
        raise CheckFailure(f"it raised {described(error)}", expected=expected, remedy=_remedy(error)) from error
    for what, array in results.items():
        require(array.dtype.kind in NUMBERS, f"{what} is {_shown(array)}", expected="numbers")


def _remedy(error: Exception) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, AttributeError) and isinstance(cause.obj, Component):
        where = ": trained arrays in build, others in forward" if isinstance(cause.obj, Operation) else ""
        return f"set self.{cause.name} before it is read{where}"
    if isinstance(cause, NotImplementedError):
        return "implement that method"
    if isinstance(cause, TypeError) and f"'{Parameter.__name__}'" in str(cause):
        return "use the parameter's array, as in self.W.value"
    failed = innermost_operation(error)
    return shapes_of(failed) if failed is not None else ""


def _shown(array: Array) -> str:
    if array.ndim > 0 or array.dtype.kind in NUMBERS:
        return f"an array of {array.dtype}"
    value = array.item()
    return "None: a return is missing" if value is None else with_article(type(value).__name__)
