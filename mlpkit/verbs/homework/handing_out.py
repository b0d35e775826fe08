"""Writes the folder that is handed out for an exercise."""

from __future__ import annotations

from pathlib import Path

from mlpkit.errors import UsageError
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import make_folder, write_atomically
from mlpkit.verbs.homework.exercise import Exercise, find
from mlpkit.verbs.homework.kinds import task_of
from mlpkit.verbs.homework.kinds.task import Task


def new_homework(kind: str, name: str, folder: Path | None, registry: Registry) -> Path:
    """Write an exercise into a new folder, and return the folder.

    Args:
        kind: the kind of what is written.
        name: the component, or the spec to repair.
        folder: the folder, missing or empty; by default named after the exercise.
        registry: the components to choose from.

    Raises:
        UsageError: there is no such exercise, or the folder isn't empty.
        StorageError: the folder can't be written.
    """
    exercise = find(kind, name, registry)
    task = task_of(exercise, registry)
    target = folder or Path(exercise.stem)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists and isn't empty; choose another folder with --out")
    make_folder(target)
    for file, text in files_of(task).items():
        write_atomically(target / file, text.encode())
    return target


def files_of(task: Task) -> dict[str, str]:
    """Return the text of each file of an exercise, by name."""
    exercise = task.exercise
    handed_in = "answer.yaml" if task.language == ".yaml" else f"{exercise.stem}.py"
    files = {"README.md": _page(exercise, task, handed_in), handed_in: task.skeleton()}
    tests = task.visible_checks()
    return files | ({f"test_{exercise.stem}.py": tests} if tests else {}) | task.more_files()


def _page(exercise: Exercise, task: Task, handed_in: str) -> str:
    parts = [f"# {exercise.name}", exercise.title, exercise.text.strip()]
    if exercise.formula:
        parts.append(f"```text\n{exercise.formula.strip()}\n```")
    if task.language == ".py":
        parts.append(f"Complete `{handed_in}` with NumPy alone. `pytest` runs some checks; `mlpkit grade .` marks it:")
    else:
        spec = next(iter(task.more_files()))
        parts.append(
            f"Train `{spec}` with `mlpkit run {spec}`, look at it with `mlpkit doctor`, and repair it with `--set "
            f"KEY=VALUE`. Write into `{handed_in}` the symptom, the key and a better value; `mlpkit grade .` marks it:"
        )
    rows = [f"| {check.title} | {check.points} |" for check in task.checks()]
    parts.append("\n".join(["| check | points |", "| --- | ---: |", *rows]))
    return "\n\n".join(part for part in parts if part) + "\n"
