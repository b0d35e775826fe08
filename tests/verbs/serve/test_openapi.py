"""The OpenAPI document, and what schemathesis finds in the server with it."""

from __future__ import annotations

import json
import subprocess
import sys
from html import escape
from pathlib import Path

import jsonschema
import pytest
from page_text import page_text
from requirements import require_package
from served import serving

from mlpkit.registry.registry import Registry
from mlpkit.version import VERSION


def test_each_example_is_a_row_that_its_model_takes(server):
    document = server.get("/openapi.json").json
    paths = [path for path in document["paths"] if path.endswith("/predict")]
    assert len(paths) == 5
    for path in paths:
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        jsonschema.validate(content["example"], content["schema"])
        assert server.post(path, content["example"]).status == 200


def test_categories_and_missing_values_are_in_the_schema(server):
    paths = server.get("/openapi.json").json["paths"]

    def schema(name, column):
        content = paths[f"/models/{name}/predict"]["post"]["requestBody"]["content"]["application/json"]
        return content["schema"]["items"]["properties"][column]["anyOf"]

    assert schema("loans", "purpose") == [{"enum": ["car", "kitchen", "travel, gifts"]}]
    assert {"type": "null"} in schema("flowers", "stem_height")
    assert {"type": "null"} not in schema("loans", "amount")


def found_by_schemathesis(server, folder, examples):
    require_package("schemathesis")
    command = [str(Path(sys.executable).with_name("st")), "run", f"http://127.0.0.1:{server.port}/openapi.json"]
    command += ["--max-examples", str(examples), "--seed", "1", "--no-color"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=3000)


def test_schemathesis_finds_nothing(runs, environment, tmp_path):
    require_package("schemathesis")
    with serving("loans", cwd=runs, env=environment) as server:
        done = found_by_schemathesis(server, tmp_path, examples=3)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "No issues found" in done.stdout


@pytest.mark.long
def test_schemathesis_finds_nothing_in_several_models(server, tmp_path):
    done = found_by_schemathesis(server, tmp_path, examples=50)
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.fixture
def models(runs):
    from mlpkit.verbs.serve.models import Models

    return Models([str(runs / "flowers"), f"spam={runs / 'shapes_npz'}"], Registry.discover())


def test_the_whole_document(models, golden):
    from mlpkit.verbs.serve.openapi import openapi

    document = openapi(models)
    paths, schemas = document.pop("paths"), document.pop("components")["schemas"]
    lines = [json.dumps(document).replace(VERSION, "VERSION")]
    lines += [f"{name} {json.dumps(schema)}" for name, schema in (schemas | paths).items()]
    golden(Path(__file__).with_name("openapi.golden.txt"), "\n".join(lines) + "\n")


def test_a_single_model_has_an_address_without_its_name(runs):
    from mlpkit.verbs.serve.models import Models
    from mlpkit.verbs.serve.openapi import openapi
    from mlpkit.verbs.serve.page import page

    loans = Models([str(runs / "loans")], Registry.discover())
    paths = openapi(loans)["paths"]
    assert paths["/predict"] == paths["/models/loans/predict"]
    shown = page(loans, "http://h")
    assert '<div class="try" data-address="/predict">' in shown
    assert " http://h/predict</" in shown


def test_the_words_of_the_page(models, golden):
    from mlpkit.verbs.serve.page import page

    golden(Path(__file__).with_name("page.golden.txt"), page_text(page(models, "http://localhost:1")))


def test_a_long_example_is_not_in_the_command_of_the_page(models, monkeypatch):
    from mlpkit.verbs.serve import page

    example = json.dumps([page.row_example(models.find("flowers").loaded)])
    for longest, shown in ((len(example), escape(example)), (len(example) - 1, "[...]")):
        monkeypatch.setattr(page, "LONGEST_EXAMPLE", longest)
        assert f"-d &#x27;{shown}&#x27; http://h/models/flowers/predict" in page.page(models, "http://h")
