"""Cox's model of the table rossi, as others fit it."""

import numpy as np
import pytest
from survival_mlpkit.concordance import Concordance
from survival_mlpkit.table import ROSSI

import mlpkit

pandas = pytest.importorskip("pandas")


def fitted(ties):
    """Return a linear model of all rows, trained to its optimum."""
    spec = {
        "mlpkit": 1,
        "dtype": "float64",
        "data": {"survival.table": {"file": str(ROSSI), "time": "week", "event": "arrest", "validation": 0, "test": 0}},
        "layers": [{"Affine": {"units": 1, "bias": False}}, {"survival.CoxLoss": {"ties": ties}}],
        "training": {"optimizer": {"sgd": {"learning_rate": 3.0}}, "batch_size": 432, "epochs": 300},
    }
    return mlpkit.run(mlpkit.load_spec(spec), quiet=True)


@pytest.fixture(scope="module")
def frame():
    """Return the table with scaled columns."""
    frame = pandas.read_csv(ROSSI).astype(float)
    inputs = frame.drop(columns=["week", "arrest"])
    frame[inputs.columns] = (inputs - inputs.mean()) / inputs.std(ddof=0)
    return frame


def test_the_table_is_that_of_lifelines():
    datasets = pytest.importorskip("lifelines.datasets")
    pandas.testing.assert_frame_equal(pandas.read_csv(ROSSI), datasets.load_rossi())


def test_efron_is_that_of_lifelines(frame):
    lifelines = pytest.importorskip("lifelines")
    model = lifelines.CoxPHFitter().fit(frame, "week", "arrest")
    run = fitted("efron")
    np.testing.assert_allclose(run.network.parameters["Affine1.W"][:, 0], model.params_, atol=1e-6)
    assert run.metrics["train"]["loss"] * len(frame) == pytest.approx(-model.log_likelihood_, rel=1e-9)


def test_breslow_is_that_of_scikit_survival(frame):
    linear_model = pytest.importorskip("sksurv.linear_model")
    y = np.array(list(zip(frame["arrest"] > 0, frame["week"], strict=True)), dtype=[("event", bool), ("time", float)])
    x = frame.drop(columns=["week", "arrest"])
    model = linear_model.CoxPHSurvivalAnalysis(ties="breslow", tol=1e-12).fit(x, y)
    run = fitted("breslow")
    np.testing.assert_allclose(run.network.parameters["Affine1.W"][:, 0], model.coef_, atol=1e-6)


def test_concordance_is_that_of_lifelines(frame):
    utils = pytest.importorskip("lifelines.utils")
    risk = frame["age"].to_numpy()
    metric = Concordance()
    metric.update(risk[:, None], frame[["week", "arrest"]].to_numpy())
    expected = utils.concordance_index(frame["week"], -risk, frame["arrest"])
    assert metric.result() == pytest.approx(expected, rel=1e-12)
