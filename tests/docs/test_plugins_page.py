"""The table of annotations says what the code takes."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import annotated_types
import pytest

import mlpkit
from mlpkit.components.schema.signature import schema_of

NAMES = {**vars(annotated_types), "Annotated": Annotated, "Literal": Literal}
PUBLIC = (
    "CategoryEncodingLike",
    "ClassWeights",
    "ColumnName",
    "EncodingLike",
    "FilePath",
    "InitializerLike",
    "Layer",
    "Metric",
    "Rate",
    "Recipe",
    "Units",
)
NAMES |= {name: getattr(mlpkit, name) for name in PUBLIC}


def rows(page: str) -> list[list[str]]:
    table = re.search(r"^\| annotation .*?\n\n", page, re.MULTILINE | re.DOTALL)[0]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()[2:] if line]


def test_every_annotation_in_the_table_can_be_a_parameters(docs):
    found = 0
    for cell, _ in rows((docs / "plugins.md").read_text("utf-8")):
        for text in re.findall(r"`(.+?)`", cell.replace(r"\|", "|")):
            annotation = eval(text, dict(NAMES))

            class Example(mlpkit.Schedule):
                def __init__(self, value): ...

                def __call__(self, progress): ...

            Example.__init__.__annotations__["value"] = annotation
            assert schema_of(Example).types["value"].describe()
            found += 1
    assert found > 10


@pytest.mark.parametrize("annotation", [set[int], bytes, complex, type])
def test_what_the_table_leaves_out_is_refused(annotation):
    class Example(mlpkit.Schedule):
        def __init__(self, value): ...

        def __call__(self, progress): ...

    Example.__init__.__annotations__["value"] = annotation
    with pytest.raises(mlpkit.PluginError, match="a spec can't give a value for the annotation"):
        schema_of(Example)
