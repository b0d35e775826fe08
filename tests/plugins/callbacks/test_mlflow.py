"""MLflow's stores, names and telemetry, before it is imported."""

from __future__ import annotations

import os

import pytest
from requirements import require_package

from mlpkit import ParameterError

mlflow = require_package("mlpkit_plugins.callbacks.mlflow")


@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        (None, True),
        ("http://127.0.0.1:5000", True),
        ("sqlite:///mlflow.db", True),
        ("databricks", True),
        ("databricks://profile", True),
        ("mlruns", False),
        ("file:/tmp/mlruns", False),
        ("file:///tmp/mlruns", False),
    ],
)
def test_a_store_is_a_server_or_a_database(uri, taken):
    if taken:
        assert mlflow.Mlflow(uri).uri == uri
    else:
        with pytest.raises(ParameterError) as caught:
            mlflow.Mlflow(uri)
        message = f"uri: '{uri}' is not a server or database; expected such as sqlite:///mlflow.db"
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("training.optimizer.sgd.learning_rate", "training.optimizer.sgd.learning_rate"),
        ("rates.*.b", "rates._.b"),
        ("a/b-c d:e_f", "a/b-c d:e_f"),
        ("é[0]=(x)", "é_0___x_"),
        ("x" * 251, "x" * 250),
    ],
)
def test_names_have_the_characters_and_the_length_that_mlflow_takes(key, name):
    assert mlflow._key(key) == name


@pytest.mark.parametrize("setting", [None, "false", ""])
def test_telemetry_is_disabled_unless_the_environment_says_otherwise(monkeypatch, setting):
    name = "MLFLOW_DISABLE_TELEMETRY"
    monkeypatch.delenv(name, raising=False)
    if setting is not None:
        monkeypatch.setenv(name, setting)
    with mlflow._without_telemetry():
        assert os.environ[name] == ("true" if setting is None else setting)
    assert os.environ.get(name) == setting
