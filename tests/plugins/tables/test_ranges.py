"""Numbers far outside the range that they had in training."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from requirements import Optional

import mlpkit

pd = Optional("pandas")

ROWS = 60
RNG = np.random.default_rng(0)
CARS = pd.DataFrame(
    {
        "weight": np.linspace(2000, 5000, ROWS),
        "built": pd.Timestamp("1970-01-01") + pd.to_timedelta(np.arange(ROWS) * 80, "D"),
        "size": pd.Categorical(np.array(["S", "M"])[np.arange(ROWS) % 2], ["S", "M", "L", "XL", "XXL"], ordered=True),
        "wheels": 4,
        "maker": np.array(["a", "b"])[np.arange(ROWS) % 2],
        "mpg": RNG.normal(20, 5, ROWS),
    }
)
LAYERS = [{"Affine": {"units": 1}}, "MeanSquaredError"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the model of a run of a frame, loaded from its folder."""
    folder = tmp_path_factory.mktemp("ranges") / "run"
    mlpkit.fit(CARS, "mpg", layers=LAYERS, epochs=1, date_parts=["elapsed"], directory=folder)
    return mlpkit.load(folder)


def said_of(model, rows):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.predict(rows)
    return [str(warning.message) for warning in caught]


def test_rows_like_those_of_training_and_somewhat_beyond_give_no_warning(model):
    assert said_of(model, CARS) == []
    assert (
        said_of(model, CARS.assign(weight=CARS["weight"] + 1499, built=CARS["built"] + pd.Timedelta(2300, "D"))) == []
    )


def test_each_column_is_counted_in_one_warning(model):
    rows = CARS.iloc[[0, 1, 2, 3, 4, -1]].reset_index(drop=True)
    rows.loc[[0, 1], "weight"], rows.loc[2, "weight"] = 6501, 499
    rows.loc[[1, 3, 4], "built"] = pd.Timestamp("1995-06-01")
    assert said_of(model, rows) == [
        "the rows: 2 rows have 'weight' above 5000, the greatest in training; 1 row has 'weight' below 2000, the least "
        "in training; 3 rows have 'built' after 1982-12-04, the last in training; predictions far outside the range of "
        "training are guesses"
    ]


def test_scales_and_columns_without_influence_are_never_outside(model):
    assert said_of(model, CARS.assign(size="XXL", wheels=400)) == []


def test_a_file_is_warned_of_on_the_command_line(tmp_path, model):
    from click.testing import CliRunner

    from mlpkit.cli.verbs import program

    CARS.to_csv(tmp_path / "t.csv", index=False)
    CARS.iloc[:2].assign(weight=[90000, 3000]).to_csv(tmp_path / "new.csv", index=False)
    data = {"csv": {"file": str(tmp_path / "t.csv"), "target": "mpg", "predict": "values", "inputs": ["weight"]}}
    data["csv"] |= {"validation": 0, "test": 0}
    training = {"optimizer": "adam", "epochs": 1}
    mlpkit.run(mlpkit.load_spec({"mlpkit": 1, "data": data, "layers": LAYERS, "training": training}), tmp_path / "run")
    done = CliRunner().invoke(program, ["predict", str(tmp_path / "run"), str(tmp_path / "new.csv")])
    assert done.exit_code == 0
    greatest = mlpkit.load(tmp_path / "run").network.encoder.encoder_state()["extents"][0][1]
    assert f"new.csv: 1 row has 'weight' above {greatest:g}, the greatest in training; predictions far" in done.stderr
