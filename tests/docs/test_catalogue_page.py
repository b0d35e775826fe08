"""The catalogue has each built-in component with its parameters, written as in a call."""

from __future__ import annotations

import ast
import re

import pytest
from documentation_pages import text_of
from requirements import require_component

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.signature import REQUIRED
from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.registry import Registry

BUILT_IN = Registry([plugin for plugin in installed_plugins() if plugin.built_in]).components(tuple(KINDS))


@pytest.mark.parametrize("component", BUILT_IN, ids=[component.name for component in BUILT_IN])
def test_parameters_are_written_as_in_a_call(component, docs):
    require_component(component)
    page = text_of(docs / "catalogue.md")
    (line,) = re.findall(rf"^- \*\*`{component.name}`\*\*: (.+)$", page, re.M)
    parameters = re.search(r"\. `([^`]*)`$", line)
    call = ast.parse(f"f({parameters[1] if parameters else ''})", mode="eval").body
    required = {field.name for field in component.schema.fields if field.default is REQUIRED}
    assert {argument.id for argument in call.args} == required
    assert {keyword.arg for keyword in call.keywords} == {field.name for field in component.schema.fields} - required
