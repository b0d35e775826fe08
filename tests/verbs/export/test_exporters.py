"""Which exporter writes a file: by its ending, a built-in one first, or by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpkit import UnknownComponentError, UsageError
from mlpkit.registry.registry import Registry
from mlpkit.verbs.export.export import exporter_of
from mlpkit_plugins.exporters.onnx_file import OnnxFile

PLUGIN = """
from mlpkit import Exporter, component, hookimpl


class Text(Exporter):
    ending = ".onnx"

    def __init__(self, digits: int = 3):
        self.digits = digits

    def write(self, model, file):
        pass


class Listing(Text):
    ending = ".listing"


@hookimpl
def mlpkit_components():
    return [component("exporter", "text", Text), component("exporter", "listing", Listing)]
"""


@pytest.fixture
def registry(tmp_path):
    """Return a function that finds plugins, some of which have the exporters text and listing."""

    def discover(*names):
        for name in names:
            (tmp_path / f"{name}.py").write_text(PLUGIN, encoding="utf-8")
        return Registry.discover(plugins=[tmp_path / f"{name}.py" for name in names])

    return discover


def test_a_plugin_takes_no_ending_from_a_built_in_exporter(registry):
    assert isinstance(exporter_of(Path("model.ONNX"), None, registry("acme_text")), OnnxFile)


def test_a_plugin_adds_an_ending(registry):
    found = exporter_of(Path("model.listing"), None, registry("acme_text"))
    assert found.registered_name == "acme_text.listing"


def test_one_is_named_whatever_the_file_is_called(registry):
    found = exporter_of(Path("model.c"), {"acme_text.text": {"digits": 5}}, registry("acme_text"))
    assert (found.registered_name, found.digits) == ("acme_text.text", 5)
    assert exporter_of(Path("model.c"), found, registry()) is found


def test_two_plugins_with_one_ending(registry):
    message = (
        r"^acme_one\.listing and acme_two\.listing write \.listing; choose one, such as --format acme_one\.listing$"
    )
    with pytest.raises(UsageError, match=message):
        exporter_of(Path("model.listing"), None, registry("acme_one", "acme_two"))


def test_one_that_is_not_there(registry):
    with pytest.raises(UnknownComponentError, match="install the package that provides absent"):
        exporter_of(Path("model.c"), "absent.text", registry())
    with pytest.raises(UnknownComponentError, match="'adam' is an optimizer, not an exporter"):
        exporter_of(Path("model.c"), "adam", registry())
    with pytest.raises(UsageError, match="3 is not an exporter"):
        exporter_of(Path("model.c"), 3, registry())
