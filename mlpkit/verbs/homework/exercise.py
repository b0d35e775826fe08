"""An exercise, as a file in ``exercises`` describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import UsageError

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
        points: the points of each check.
        formula: the formula.
        built_with: parameters of the built-in that gives expected values.
        passed: numbers that are passed to the submission's class.
        shape: shape of one example.
        classes: whether the targets of a loss are classes, one for each input, and not values.
        hints: what to look at if a check fails.
        inputs: extreme inputs that must work.
        spec: for a ``spec``, the one to repair.
        answer: for a ``spec``: the symptoms that are right, the key, the loss to reach, and a hint.
    """

    kind: str
    name: str
    title: str
    text: str
    points: Mapping[str, int]
    formula: str = ""
    built_with: Mapping[str, Any] = field(default_factory=dict)
    passed: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    classes: bool = False
    hints: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[float, ...] = ()
    spec: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The name of its files, in snake_case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name).lower()

    @property
    def mark(self) -> str:
        """The comment by which a file names the exercise."""
        return f"# mlpkit exercise: {self.kind} {self.name}"


@cache
def prepared() -> dict[tuple[str, str], Exercise]:
    """Return the exercises that come with mlpkit, by kind and name, in the order of a course."""
    given = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    return {(each["kind"], each["name"]): Exercise(**each | {"shape": tuple(each.get("shape", ()))}) for each in given}


def find(kind: str, name: str) -> Exercise:
    """Return an exercise.

    Raises:
        UsageError: there is no such exercise.
    """
    if (kind, name) not in prepared():
        names = [each for of, each in prepared() if of == kind]
        remedy = did_you_mean(name, names) or f"expected one of {', '.join(names)}"
        raise UsageError(f"there is no exercise '{kind} {name}'; {remedy}")
    return prepared()[kind, name]


def exercise_of(path: Path, text: str) -> Exercise | None:
    """Return the exercise that a handed-in file names in a comment, or by its file's name; None if it names none."""
    if named := MARK.search(text):
        return prepared().get((named[1], named[2]))
    return next((each for each in prepared().values() if each.kind != "spec" and each.stem == path.stem), None)
