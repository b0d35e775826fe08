"""Columns, categories, classes and layers of any name are used like others everywhere, or refused by name."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from hostile_names import hostile_names
from requirements import Optional

import mlpkit
from mlpkit.errors import DataError, MlpkitError, NotExportableError
from mlpkit.verbs.export.export import export
from mlpkit_plugins.exporters.js_engines import NODE, find_program

if TYPE_CHECKING:
    from pathlib import Path

onnxruntime = Optional("onnxruntime")
pd = Optional("pandas")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # a category may be missing from the training rows
ROWS_OF_A_CLASS: Final = 10
TARGET: Final = "what is predicted"

WORST: Final = (
    *(
        "__proto__",
        "toString",
        "NULL",
        "linux",
        "class",
        "</script><b>",
        "a\u202eb",
        "a\nb",
        "\\",
        '"; x',
        "1e5",
        "label",
    ),
    "b" * 300,
)


def rows_of(names: list[str]) -> list[dict[str, str]]:
    """Return rows with these columns, numbers and categories in turn, and with these categories and classes."""
    rng = np.random.default_rng(0)
    rows = []
    for position in range(ROWS_OF_A_CLASS * len(names)):
        row = {
            name: names[rng.integers(len(names))] if i % 2 else f"{rng.normal():.3f}" for i, name in enumerate(names)
        }
        rows.append(row | {TARGET: names[position % len(names)]})
    return rows


def spec_of(names: list[str], file: Path) -> mlpkit.Spec:
    names = [name.replace("$", "$$") for name in names]
    categories = {"categorical": names[1::2]} if names[1:] else {}
    data = {"file": str(file), "target": TARGET, "predict": "classes", "unknown": "zeros", "missing_texts": [""]}
    without_dots = enumerate(name for name in names if "." not in name)
    layers = [{"Relu": {"name": name}} if i % 5 else {"Affine": {"units": 8, "name": name}} for i, name in without_dots]
    return mlpkit.load_spec(
        {
            "mlpkit": 1,
            "name": "hostile",
            "data": {"csv": {**data, "missing": "fill", **categories, "validation": 0.2, "test": 0.2}},
            "layers": [*layers, {"Affine": {"units": max(2, len(names))}}, "SoftmaxWithLoss"],
            "training": {
                "optimizer": {"adam": {"learning_rate": 0.01}},
                "iterations": 8,
                "evaluate_every": 4,
                "metrics": ["accuracy", "confusion_matrix"],
            },
        }
    )


def trained(names: list[str], folder: Path) -> tuple[list[str], Path, list[dict[str, str]]]:
    """Train a model; names that mlpkit refuses are left out, once its message names them."""
    for attempt in count():
        if len(names) < 2:
            pytest.skip("all names of this batch are refused")
        rows, file = rows_of(names), folder / f"table-{attempt}.csv"
        with file.open("w", newline="", encoding="utf-8") as table:
            writer = csv.DictWriter(table, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        try:
            mlpkit.run(spec_of(names, file), directory=folder / f"run-{attempt}", quiet=True)
        except MlpkitError as error:
            names = without_refused(names, str(error))
        else:
            return names, folder / f"run-{attempt}", rows
    raise AssertionError


def without_refused(names: list[str], message: str) -> list[str]:
    refused = [name for name in names if is_named(name, message)]
    assert refused, f"{names}: {message}"
    return [name for name in names if name != max(refused, key=len)]


def is_named(name: str, message: str) -> bool:
    """Whether a message names a column, as it is or in escapes, or the character that a spec can't hold."""
    if not name.strip() and "has no name" in message:
        return True
    if any(f"character U+{ord(character):04X}" in message for character in name):
        return True
    shown = {name, ascii(name)[1:-1], repr(name)[1:-1], json.dumps(name)[1:-1]}
    return any(f"'{each}'" in message or f"'{each[:20]}" in message for each in shown)


def said(folder: Path, *command: object) -> str:
    """Run a command, and return what it says on standard error, in which no library speaks."""
    program = [sys.executable, "-m", "mlpkit", *map(str, command)]
    done = subprocess.run(program, capture_output=True, encoding="utf-8", check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not [word for word in ("TypeError", "    at ", "Traceback", "no report") if word in done.stderr]
    return done.stderr


def values_of(rows: list[dict[str, str]], names: list[str]) -> list[dict[str, Any]]:
    """Return rows as Python gives them to a model, in whose columns no blanks are around a name."""
    return [{name.strip(): row[name] if i % 2 else float(row[name]) for i, name in enumerate(names)} for row in rows]


def labels_in_node(file: Path, rows: list[dict[str, Any]]) -> list[str]:
    text = json.dumps(json.dumps(rows))
    program = f"const {{predict}} = await import({json.dumps(file.as_uri())}); const rows = JSON.parse({text});"
    program += "console.log(JSON.stringify(predict(rows).map((row) => row.label ?? row.predicted_label)))"
    (file.parent / "ask.mjs").write_text(program, "utf-8")
    done = subprocess.run([find_program(NODE), file.parent / "ask.mjs"], capture_output=True, check=True)
    return json.loads(done.stdout)


def labels_in_onnx(file: Path, rows: list[dict[str, Any]]) -> list[str]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    types = {each.name: object if "string" in each.type else np.float64 for each in session.get_inputs()}
    feeds = {name: np.array([row[name] for row in rows], dtype) for name, dtype in types.items()}
    return session.run([session.get_outputs()[0].name], feeds)[0].tolist()


def walk(names: list[str], folder: Path, browser: Any) -> list[str]:
    """Take a table with such names through everything; return the names that mlpkit didn't refuse."""
    names, run, rows = trained(names, folder)
    model, taken = mlpkit.load(run), values_of(rows[:60], names)
    ahead = np.diff(np.sort(model.predict_proba(taken))[:, -2:])[:, 0]
    taken = [row for row, lead in zip(taken, ahead, strict=True) if lead > 1e-4]  # rounding decides no other label
    assert taken
    expected = [str(label) for label in model.predict(taken)]

    said(folder, "report", run)
    said(folder, "compare", run, run, "--html", "compare.html")
    said(folder, "trace", run, "--step", 2, "--html", "trace.html")
    for ending in ("c", "js", "html", "onnx"):
        found = export(run, folder / f"model.{ending}")
        assert (found.warning, found.rows > 0) == ("", True)
    strict = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-DMODEL_TEST"]
    subprocess.run([*strict, folder / "model.c", "-o", folder / "model", "-lm"], check=True)
    subprocess.run([folder / "model"], check=True, capture_output=True)
    subprocess.run(["g++", "-x", "c++", "-DMODEL_DECLARATIONS", "-fsyntax-only", folder / "model.c"], check=True)
    assert labels_in_node(folder / "model.js", taken) == expected
    assert labels_in_onnx(folder / "model.onnx", taken) == expected
    for page in (run / "report.html", folder / "compare.html", folder / "trace.html", folder / "model.html"):
        browser.complaints.clear()
        browser.open(page.as_uri())
        browser.settle()
        assert browser.evaluate("window.stolen") is None
        assert browser.complaints == []
    assert browser.evaluate("document.querySelector('output').textContent") in [*map(str, model.classes)]
    return names


def test_the_worst_names_are_names_like_others(tmp_path, browser):
    walk([*WORST], tmp_path, browser)


HALF = np.array(["whole", "\ud800half"] * 10, object)


@pytest.mark.parametrize("ending", ["c", "js", "html", "onnx"])
def test_a_class_with_half_a_character_is_not_exported(ending, tmp_path):
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    x = np.arange(40, dtype=np.float32).reshape(20, 2)
    run = mlpkit.fit(x, HALF, layers=layers, iterations=1, directory=tmp_path / "run", quiet=True)

    with pytest.raises(
        NotExportableError, match=r"the class '\\ud800half' contains half of a character, a surrogate, which"
    ):
        mlpkit.export(run, tmp_path / f"model.{ending}")


def test_a_category_with_half_a_character_is_refused_with_row_and_column(tmp_path):
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    frame = pd.DataFrame({"town": HALF}, dtype=object)

    with pytest.raises(
        DataError, match=r"row 1, column 'town': '\\ud800half' contains half of a character, a surrogate"
    ):
        mlpkit.fit(frame, np.arange(20) % 2, layers=layers, iterations=1, quiet=True)


BATCHES = [hostile_names()[begin::10] for begin in range(10)]


@pytest.mark.fuzz
@pytest.mark.parametrize("batch", range(len(BATCHES)))
def test_five_hundred_names(batch, tmp_path, browser):
    kept = walk(BATCHES[batch], tmp_path, browser)

    print(f"refused of {len(BATCHES[batch])}:", *map(ascii, set(BATCHES[batch]) - set(kept)))  # noqa: T201
