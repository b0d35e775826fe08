"""A table with all that a table may hold, a model trained on it, and exports of it that are spoiled."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from built_in_exporters import EXPORTERS

import mlpkit
from mlpkit.errors import ExportError
from mlpkit.verbs.export.export import export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = 300
SIZES = ("small", "middle", "large")
CLASSES = ("north", "south", "never predicted")

SPEC = {
    "mlpkit": 1,
    "name": "towns",
    "data": {
        "csv": {
            "file": "towns.csv",
            "target": "t",
            "categorical": ["town", "shop"],
            "ordinal": {"size": list(SIZES)},
            "dates": ["when"],
            "missing": "indicate",
            "missing_texts": ["", "-999"],
            "unknown": "zeros",
            "rare": 5,
            "test": 0.2,
        }
    },
    "layers": [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 3}}, "SoftmaxWithLoss"],
    "training": {"optimizer": {"adam": {"learning_rate": 0.01}}, "epochs": 20},
}


def rows() -> list[dict[str, str]]:
    """Return the rows of the table: numbers, categories, an order, dates, and gaps."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(ROWS):
        age, town = rng.normal(40, 13), int(rng.exponential(2))
        row = {
            "age": f"{age:.2f}",
            "price": f"{rng.lognormal(5, 1):.2f}",
            "town": f"town {town}",
            "shop": ("baker", "grocer")[int(rng.integers(2))],
            "size": SIZES[int(rng.integers(3))],
            "when": f"20{int(rng.integers(10, 30))}-{int(rng.integers(1, 13)):02}-{int(rng.integers(1, 29)):02}",
            "t": CLASSES[2] if i % 60 == 0 else CLASSES[int(age + 5 * town + rng.normal(0, 3) > 48)],
        }
        for name in ("age", "town", "size", "when"):
            if rng.random() < 0.1:
                row[name] = ""
        found.append(row)
    return found


@pytest.fixture(scope="session")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that learned from the table, which is beside it."""
    folder = tmp_path_factory.mktemp("towns")
    with (folder / "towns.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows()[0]))
        writer.writeheader()
        writer.writerows(rows())
    file_name = str(folder / "towns.csv")
    spec = mlpkit.load_spec(SPEC, overrides={"data.csv.file": file_name})
    mlpkit.run(spec, directory=folder / "run")
    return folder / "run"


@pytest.fixture
def expect_refusal(towns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that spoils an export before it is proved, and expects that the file there before stays."""

    def expect(ending: str, spoil: Callable[[Path], None], match: str | None = None, **options: Any) -> None:
        exporter = EXPORTERS[ending]
        write_sound = exporter.write

        def write(self: Any, model: Any, file: Path) -> None:
            write_sound(self, model, file)
            before = file.read_bytes()
            spoil(file)
            assert file.read_bytes() != before

        monkeypatch.setattr(exporter, "write", write)
        file = tmp_path / f"towns{ending}"
        file.write_text("what was there before")

        with pytest.raises(ExportError, match=match):
            export(towns, file, **options)

        assert file.read_text() == "what was there before"
        assert list(tmp_path.iterdir()) == [file]

    return expect
