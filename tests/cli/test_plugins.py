"""``mlpkit plugins``."""

from __future__ import annotations

import json


def test_plugins_are_listed_with_their_components(mlpkit):
    done = mlpkit("plugins", "--plugin", "./acme.py")
    assert (done.code, done.err) == (0, "")
    blocks = done.out.split("\n\n")
    assert blocks[0].startswith("mlpkit: loaded, from mlpkit 0.1.0\n  layer ")
    assert (
        "acme: loaded, from acme.py\n  layer    acme.Slow, acme.Broken\n  dataset  acme.slow_data, acme.wrong_data"
        in [block.strip() for block in blocks]
    )


def test_what_is_wrong_with_a_plugin_is_said_and_is_no_failure(work, invoke):
    (work / "faulty.py").write_text("import nothing_of_that_name\n")
    done = invoke("plugins", "--plugin", "faulty.py", "--no-plugin", "mlpkit")
    assert done.code == 0
    assert "faulty: broken, from faulty.py\n  ModuleNotFoundError: No module named 'nothing_of_that_name'\n" in done.out
    assert "mlpkit: blocked, from mlpkit 0.1.0\n  blocked by name\n" in done.out


def test_json_is_a_line_a_plugin(invoke):
    done = invoke("plugins", "--plugin", "acme.py", "--json")
    documents = {document["namespace"]: document for document in map(json.loads, done.out.splitlines())}
    assert documents["acme"] == {
        "namespace": "acme",
        "source": "acme.py",
        "version": "",
        "status": "loaded",
        "reason": "",
        "components": {"layer": ["acme.Slow", "acme.Broken"], "dataset": ["acme.slow_data", "acme.wrong_data"]},
    }
    assert "Affine" in documents["mlpkit"]["components"]["layer"]


def test_a_namespace_is_taken_once(work, invoke):
    (work / "mlpkit.py").write_text((work / "acme.py").read_text())
    done = invoke("plugins", "--plugin", "mlpkit.py")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: the built-in namespace 'mlpkit'")
