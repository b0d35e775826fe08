"""The OpenAPI document, and what schemathesis finds in the server with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from requirements import require_package
from served import serving


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
