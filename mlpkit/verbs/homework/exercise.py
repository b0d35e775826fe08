"""An exercise: a file in ``exercises``, or made from the docstring and the examples of a component."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from mlpkit.errors import UnknownComponentError, UsageError
from mlpkit.registry.registry import Registry

FOLDER: Final = Path(__file__).with_name("exercises")

MARK: Final = re.compile(r"^# mlpkit exercise: (\w{1,40}) ([\w.]{1,100})\s*$", re.MULTILINE)
"""The comment by which a file names its exercise."""


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Args:
        kind: what is written: a kind of component, or ``spec`` for one to repair.
        name: the component, or the spec.
        title: what it is about, in one sentence.
        text: the text, in Markdown.
        formula: the formula.
        built_with: parameters of the built-in that gives expected values.
        passed: numbers that are passed to the submission's class.
        shape: shape of one example.
        points: the points of each check, if they differ from those of the kind.
        hints: what to look at if a check fails.
        inputs: extreme inputs that must work.
        evaluates: whether ``forward`` takes ``training``.
        spec: for a ``spec``, the one to repair.
        answer: for a ``spec``: the symptoms that are right, the key, the loss to reach, and a hint.
    """

    kind: str
    name: str
    title: str = ""
    text: str = ""
    formula: str = ""
    built_with: Mapping[str, Any] = field(default_factory=dict)
    passed: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    points: Mapping[str, int] | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[float, ...] = ()
    evaluates: bool = False
    spec: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The name of its files, in snake_case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name.rpartition(".")[2]).lower()

    @property
    def mark(self) -> str:
        """The comment by which a file names the exercise."""
        return f"# mlpkit exercise: {self.kind} {self.name}"


@cache
def prepared() -> dict[tuple[str, str], Exercise]:
    """Return the exercises that come with mlpkit, by kind and name, in the order of a course."""
    given = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    return {(each["kind"], each["name"]): Exercise(**each | {"shape": tuple(each.get("shape", ()))}) for each in given}


def find(kind: str, name: str, registry: Registry) -> Exercise:
    """Return an exercise that comes with mlpkit, or one made from a component's docstring and examples.

    Raises:
        UsageError: there is no such exercise.
        UnknownComponentError: there is no such component.
    """
    found = prepared().get((kind, name))
    if found is None and kind == "spec":
        names = ", ".join(each for of, each in prepared() if of == "spec")
        raise UsageError(f"there is no exercise 'spec {name}'; expected one of {names}")
    return found or _of_component(kind, name, registry)


def _of_component(kind: str, name: str, registry: Registry) -> Exercise:
    entry = registry.find((kind,), name)
    examples: Any = getattr(entry.component, "examples", list)()
    example = examples[0] if examples else {}
    built_with, shape = example if isinstance(example, tuple) else (example, ())
    values = {each.name: None if each.required else each.default for each in entry.schema.fields} | built_with
    passed = {key: value for key, value in values.items() if type(value) in (int, float, list) and value}
    docstring = entry.schema.docstring
    meanings = [f"- `{key}`: {docstring.parameters[key]}" for key in passed if key in docstring.parameters]
    shapes = [f"Shapes: {docstring.sections[each]}" for each in ("Shapes", "Shape") if each in docstring.sections]
    text = "\n\n".join([*shapes, "\n".join(meanings)]).replace("``", "`")
    formula = textwrap.dedent(f"    {docstring.body}") if "\n    " in docstring.body else docstring.body
    return Exercise(kind, name, docstring.summary, text, formula, built_with, passed, tuple(shape))


def exercise_of(path: Path, text: str, registry: Registry) -> Exercise | None:
    """Return the exercise that a handed-in file names in a comment, or by its file's name; None if it names none."""
    named = MARK.search(text)
    if named is None:
        return next((each for each in prepared().values() if each.kind != "spec" and each.stem == path.stem), None)
    try:
        return find(named[1], named[2], registry)
    except (UsageError, UnknownComponentError):
        return None


def titles() -> dict[str, str]:
    """Return the title of each exercise that comes with mlpkit, by what the command takes."""
    return {f"{kind} {name}": exercise.title for (kind, name), exercise in prepared().items()}
