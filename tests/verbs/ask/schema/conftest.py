"""What the tests of the JSON Schema share: specs as data, before anything is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema
import pytest

from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import read_text
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.verbs.ask.schema import json_schema

if TYPE_CHECKING:
    from pathlib import Path

ACME = '''
from typing import Annotated, Literal
from annotated_types import Ge
from mlpkit import InitializerLike, Layer, Metric, Rate, Recipe, Schedule, component, hookimpl

class Twice(Layer):
    """Twice its inputs.

        y = 2 x

    Args:
        times: how often.
        inner: what is applied so often.
        mode: how.
        rate: how fast.
        shape: of what.
        weights: first values.
    """

    def __init__(
        self,
        inner: Recipe[Layer],
        times: Annotated[int, Ge(1)] = 2,
        mode: Literal["sum", "mean"] = "sum",
        rate: Rate = 0.5,
        shape: tuple[int, int] = (1, 1),
        weights: InitializerLike = "zeros",
    ):
        self.times = times

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy

class Old(Layer):
    """Hands on its inputs."""

    forward = backward = lambda self, x: x

@hookimpl
def mlpkit_components():
    return [
        component("layer", "Twice", Twice),
        component("layer", "Old", Old, deprecated="use acme.Twice"),
        component("layer", "Lost", "acme_that_is_not_there:Lost"),
    ]
'''


def parsed(source):
    """Return what a text says, as plain data, by the rules of the dialect."""
    faults = DiagnosticList()
    node = parse_yaml(source, faults)
    faults.raise_if_any()
    return plain(node)


@pytest.fixture(scope="session")
def data_of_file():
    """Return a function that reads a file as plain data; what is not in the dialect is an error."""

    def read(path: Path):
        faults = DiagnosticList()
        source = read_text(path, faults)
        faults.raise_if_any()
        return parsed(source)

    return read


@pytest.fixture(scope="session")
def data_of_text():
    """Return a function that reads a text as plain data."""
    return lambda text: parsed(SourceText("<spec>", text))


def validator_of(registry):
    schema = json_schema(registry)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="session")
def validator():
    """Return what checks data against the schema of what is installed."""
    return validator_of(Registry.discover())


@pytest.fixture(scope="session")
def acme(tmp_path_factory):
    """Return a third party's plugin."""
    plugin = tmp_path_factory.mktemp("plugins") / "acme.py"
    plugin.write_text(ACME, encoding="utf-8")
    return plugin


@pytest.fixture(scope="session")
def validator_with_acme(acme):
    """Return what checks data against the schema of what is installed, and of that plugin."""
    return validator_of(Registry.discover(plugins=[acme]))
