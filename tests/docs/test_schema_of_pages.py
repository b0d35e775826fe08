"""The JSON Schema accepts every right spec of the pages, with the pages' own plugins."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jsonschema
from documentation_pages import BY_HAND
from generators.marked_blocks import marked_blocks, write_files

from mlpkit.registry.registry import Registry
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.verbs.ask.schema import json_schema


@cache
def validator(*plugins: Path) -> jsonschema.Draft202012Validator:
    registry = Registry.discover(plugins=plugins)
    registry.components()  # loads them, so that no process needs to examine them
    return jsonschema.Draft202012Validator(json_schema(registry))


def test_the_schema_accepts_the_specs(tmp_path, monkeypatch):
    accepted = 0
    for path in BY_HAND:
        page = path.read_text("utf-8")
        blocks = marked_blocks(page)
        specs = [block for block in blocks if block.role == "spec"]
        if not specs:
            continue
        folder = tmp_path / f"{path.parent.name}_{path.stem}"
        folder.mkdir()
        write_files(page, folder)
        monkeypatch.syspath_prepend(folder)  # plugins of a page import each other
        plugins = [folder / block.name for block in blocks if block.role == "plugin"]
        for spec in specs:
            faults = DiagnosticList()
            data = plain(parse_yaml(SourceText(spec.name, spec.text), faults))
            faults.raise_if_any()
            errors = [error.message for error in validator(*plugins).iter_errors(data)]
            assert errors == [], f"{path.name}, {spec.name}"
            accepted += 1
    assert accepted > 5
