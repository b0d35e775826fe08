"""The reference of public names, from docstrings: arguments, a sentence each, attributes."""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from types import MethodType
from typing import TYPE_CHECKING, Any, Final

import mlpkit
import mlpkit.engines
import mlpkit.graph
import mlpkit.testing
from generators.kind_pages import page_of
from mlpkit.components.kinds import KINDS
from mlpkit.lazy_names import LazyMethod

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SPECIAL: Final = ("__call__", "__len__")
"""Methods with underscores that an author writes or calls."""

ATTRIBUTES: Final = (property, cached_property)
"""What looks like an attribute."""

PAGES: Final = {kind.base: page_of(kind.name) for kind in KINDS.values()}
"""The page that explains a base class by example."""

GROUPS: Final[dict[str, tuple[ModuleType, tuple[str, ...]]]] = {
    "Declaring components": (mlpkit, ("component", "hookimpl", "Deprecation", "Component")),
    "Base classes": (mlpkit, (*PAGES, "Elementwise")),
    "Arguments of components": (
        mlpkit,
        (
            *("Parameter", "State", "Chain", "Recipe", "Fans", "InputShape", "TrainingColumns", "TrainingCategories"),
            *("Outcome", "Progress", "Step", "TrainingView", "Weights"),
        ),
    ),
    "What data sets return": (
        mlpkit,
        (
            "Description",
            "InputColumn",
            "FittedEncoding",
            "FittedCategoryEncoding",
            "DataWarning",
            "Proposal",
            "RawArray",
            "RawColumn",
            "Split",
            "Target",
            "Classes",
            "Labels",
            "Values",
            "ValuesScaling",
        ),
    ),
    "Training the trials of a sweep": (mlpkit, ("Workers", "LocalWorkers", "TrainingEnd", "StopRequest")),
    "Training trials on other machines": (mlpkit.engines, tuple(mlpkit.engines.__all__)),
    "Describing what is computed": (mlpkit, ("Graph", "Value", "ML_DOMAIN")),
    "Exporting": (
        mlpkit.graph,
        (
            "ModelGraph",
            "Node",
            "Feed",
            "evaluate",
            "operator_of",
            "probe_rows",
            "provenance_line",
            "provenance_json",
            "exact_int8_weights",
            "Int8Weights",
            "LOGITS",
            "MARKER",
        ),
    ),
    "Errors to raise": (
        mlpkit,
        (
            "ParameterError",
            "ShapeError",
            "TargetError",
            "NotExportableError",
            "ExportError",
            "EngineMissingError",
            "DataError",
            "did_you_mean",
            "shown_number",
        ),
    ),
    "Judging probabilities": (mlpkit, ("calibration_bins", "expected_calibration_error")),
    "Writing pages": (mlpkit, ("html_document",)),
    "Reading .npy files": (mlpkit, ("read_npy_header", "NpyHeader")),
    "Testing": (
        mlpkit.testing,
        (
            "conformance",
            "check_gradients",
            "numerical_gradient",
            "begin_pass",
            "standalone",
            "GradientMismatch",
            "CheckFailure",
        ),
    ),
}

BETWEEN_PROCESSES: Final = frozenset({"own_slices", "exchange", "judge_batches", "with_others", "minibatch_rows"})
"""Left out: what joins the processes that train one network over MPI, and is of no interest to others."""

WITHOUT_DOCSTRING: Final = {
    "hookimpl": "Marks the function `mlpkit_components` of a plugin, as `@hookimpl` above it.",
    "ML_DOMAIN": f'ONNX\'s domain for operators on texts and categories, `"{mlpkit.ML_DOMAIN}"`.',
    "LOGITS": 'What exporters call what the loss takes, `"logits"`.',
    "MARKER": "What precedes the JSON of provenance in a file.",
}
"""What is neither a class nor a function: pluggy's decorator, and a text."""

PYTHON: Final[dict[str, tuple[ModuleType, tuple[str, ...]]]] = {
    "Training": (
        mlpkit,
        (
            "fit",
            "load_spec",
            "load_data",
            "run",
            "resume",
            "resume_seeds",
            "sweep",
            "resume_sweep",
            "sweep_status",
            "stop_sweep",
            "trace",
            "doctor",
            "tune_rate",
            "build",
            "load",
            "load_model",
            "report",
            "export",
        ),
    ),
    "What they return": (
        mlpkit,
        (
            "Run",
            "SeedRuns",
            "Sweep",
            "SweepStatus",
            "Trial",
            "EnsembleRun",
            "OutOfFold",
            "Interval",
            "Trace",
            "TracedExample",
            "TracedLayer",
            "Diagnosis",
            "Symptom",
            "RateTest",
            "Model",
            "Explanation",
            "Sequential",
            "Spec",
            "Export",
            "Rounding",
        ),
    ),
    "Errors": (
        mlpkit,
        (
            "MlpkitError",
            "UsageError",
            "SpecError",
            "UnknownComponentError",
            "PluginError",
            "ComponentFailure",
            "DivergenceError",
            "EnsembleError",
            "ModelFileError",
            "RunFolderError",
            "StorageError",
            "WorkersLostError",
        ),
    ),
}


def reference() -> str:
    """Return a section for each part of the interface that plugins are written with."""
    return _sections(GROUPS)


def python_reference() -> str:
    """Return a section for each part of what trains networks in Python."""
    return _sections(PYTHON)


def _sections(groups: dict[str, tuple[ModuleType, tuple[str, ...]]]) -> str:
    return "\n\n".join(part for title, (home, names) in groups.items() for part in _group(title, home, names)) + "\n"


def _group(title: str, home: ModuleType, names: tuple[str, ...]) -> Iterator[str]:
    yield f"## {title}"
    for name in names:
        yield f"### {home.__name__}.{name}"
        yield from _entry(name, getattr(home, name))


def _entry(name: str, found: Any) -> Iterator[str]:
    if inspect.isclass(found):
        yield from _class(found)
    elif inspect.isfunction(found):
        yield _function(name, found)
    else:
        yield WITHOUT_DOCSTRING[name]


def _class(owner: type) -> Iterator[str]:
    """Describe a class: its first paragraph, its attributes and its methods."""
    yield _joined(_blocks(owner.__doc__)[0])
    if owner.__name__ in PAGES:
        yield f"[Its page]({PAGES[owner.__name__]}) explains it by example."
    attributes = "\n".join(filter(None, map(_attributes, _bases(owner) or [owner])))
    if attributes:
        yield attributes
    methods = [_method(name, method) for name, method in _methods(owner)]
    if methods:
        yield "\n".join(methods)


def _attributes(owner: type) -> str:
    """Return the attributes that the docstring of a class lists, or else the arguments of its constructor."""
    sections = {block.partition("\n")[0]: block for block in _blocks(owner.__doc__)}
    listed = sections.get("Attributes:", sections.get("Args:", ""))
    return _items(listed)


def _method(name: str, method: Any) -> str:
    call = "" if isinstance(method, ATTRIBUTES) else _signature(method)
    return f"- **`{name}{call}`**: {_sentence(method)}"


def _function(name: str, function: Any) -> str:
    return f"`{name}{_signature(function)}`: {_sentence(function)}"


def _methods(owner: type) -> Iterator[tuple[str, Any]]:
    """Go through the public methods of a class, its own first, then those that it inherits from mlpkit."""
    seen = set()
    for base in _bases(owner):
        for name, value in vars(base).items():
            public = (not name.startswith("_") or name in SPECIAL) and name not in BETWEEN_PROCESSES
            if isinstance(value, LazyMethod):
                value = MethodType(getattr(owner, name), owner)  # noqa: PLW2901 - what it stands for
            elif isinstance(value, classmethod):
                value = getattr(owner, name)  # noqa: PLW2901 - without the class as an argument
            if public and name not in seen and value.__doc__ and (callable(value) or isinstance(value, ATTRIBUTES)):
                seen.add(name)
                yield name, value


def _bases(owner: type) -> list[type]:
    """Return a class and those that it inherits from, except what other sections describe."""
    others = [base for base in (mlpkit.Component, mlpkit.Layer) if issubclass(owner, base) and owner is not base]
    elsewhere = {each for base in others for each in base.__mro__}
    return [
        base
        for base in owner.__mro__
        if base.__module__.startswith("mlpkit.") and base not in elsewhere and not issubclass(base, Exception)
    ]


def _signature(function: Any) -> str:
    return f"({', '.join(_parameters(inspect.signature(function)))})"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    by_name_only = False
    for parameter in signature.parameters.values():
        if parameter.name in {"self", "cls", *BETWEEN_PROCESSES}:
            continue
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            by_name_only = True
            yield str(parameter).partition(":")[0]
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name_only:
            by_name_only = True
            yield "*"
        has_default = parameter.default is not parameter.empty
        yield f"{parameter.name}={_default(parameter.default)}" if has_default else parameter.name


def _default(value: object) -> str:
    return getattr(value, "__name__", None) or repr(value)


def _sentence(documented: Any) -> str:
    """Return the first paragraph of a docstring, and what is raised."""
    blocks = _blocks(documented.__doc__)
    raised = [
        name for block in blocks if block.startswith("Raises:\n") for name in re.findall(r"^    (\w+):", block, re.M)
    ]
    return _joined(blocks[0]) + (f" Raises {', '.join(f'`{name}`' for name in raised)}." if raised else "")


def _blocks(docstring: str | None) -> list[str]:
    return inspect.cleandoc(docstring or "").split("\n\n")


def _items(text: str) -> str:
    """Return the entries of a section, each an item of a list."""
    entries = re.split(r"^    (?=\S)", text, flags=re.M)[1:]
    return "\n".join(_item(entry) for entry in entries if entry.partition(":")[0] not in BETWEEN_PROCESSES)


def _item(entry: str) -> str:
    name, colon, meaning = entry.partition(": ")
    return f"- `{name}`: {_joined(meaning)}" if colon else f"- {_joined(entry)}"


def _joined(text: str) -> str:
    return re.sub("::$", ":", " ".join(text.split())).replace("``", "`")
