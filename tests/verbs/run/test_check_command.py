"""``mlpkit check``."""

from __future__ import annotations

import json

import pytest

from mlpkit.verbs.run.check_command import _fitting_table

GOLDEN = """\
tiny.yaml: OK
  mnist: 150 train, 50 validation, 60 test
  input 16, target 10 classes

  layer             type             output  parameters
  Affine1           Affine                5          85
  Relu1             Relu                  5           0
  Affine2           Affine               10          60
  SoftmaxWithLoss1  SoftmaxWithLoss    loss           0
  total                                             145
"""


def test_a_right_spec_is_shown_with_its_data_and_shapes(mlpkit):
    done = mlpkit("check", "tiny.yaml")
    assert (done.code, done.out, done.err) == (0, GOLDEN, "")


def test_layers_inside_layers_are_shown_below_them(invoke):
    residual = "{Residual: {layers: [Relu, {Affine: {units: 5, name: last}}]}}"
    done = invoke("check", "tiny.yaml", "--set", f"layers.Relu1={residual}")
    assert done.out.splitlines()[4:] == [
        "  layer              type             output  parameters",
        "  Affine1            Affine                5          85",
        "  Residual1          Residual              5          30",
        "    Residual1.Relu1  Relu                  5           0",
        "    Residual1.last   Affine                5          30",
        "  Affine2            Affine               10          60",
        "  SoftmaxWithLoss1   SoftmaxWithLoss    loss           0",
        "  total                                              175",
    ]
    document = json.loads(invoke("check", "tiny.yaml", "--set", f"layers.Relu1={residual}", "--json").out)
    assert document["layers"][1] == {
        "name": "Residual1",
        "type": "Residual",
        "output_shape": [5],
        "parameters": 30,
        "layers": [
            {"name": "Residual1.Relu1", "type": "Relu", "output_shape": [5], "parameters": 0},
            {"name": "Residual1.last", "type": "Affine", "output_shape": [5], "parameters": 30},
        ],
    }
    assert document["parameters"] == 175


def test_a_check_reads_no_data_and_leaves_nothing_behind(cwd, invoke):
    before = sorted(cwd.iterdir())
    assert invoke("check", "tiny.yaml", "--plugin", "acme.py", "--set", "data=acme.slow_data").code == 0
    assert sorted(cwd.iterdir()) == before


def test_large_numbers_have_commas_and_shapes_have_crosses(invoke):
    done = invoke("check", "tiny.yaml", "--set", "layers.Affine1.units=1000")
    assert "  Affine1           Affine             1000      17,000\n" in done.out
    done = invoke("check", "tiny.yaml", "--set", "data.mnist.flatten=false", "--plugin", "acme.py")
    assert done.code == 2  # Affine needs rows


def test_all_specs_are_checked_and_one_wrong_spec_decides(cwd, invoke):
    (cwd / "wrong.yaml").write_text("mlpkit: 2\n")
    done = invoke("check", "wrong.yaml", "missing.yaml", "tiny.yaml")
    assert done.code == 2
    assert done.out == GOLDEN
    assert "errors in wrong.yaml\n" in done.err
    assert done.err.endswith("\n1 error in missing.yaml\n")


def test_a_damaged_data_file_is_a_failure_of_the_work(cwd, digits, invoke):
    copies = cwd / "copies"
    copies.mkdir()
    for file in digits.iterdir():
        (copies / file.name).write_bytes(file.read_bytes())
    (copies / "t10k-labels-idx1-ubyte").write_bytes(b"nonsense")
    override = ("--set", f"data.mnist.directory={copies}")
    assert invoke("check", "tiny.yaml", *override).code == 1
    assert invoke("check", "tiny.yaml", "missing.yaml", *override).code == 2
    assert invoke("check", "missing.yaml", "tiny.yaml", *override).code == 2


def test_a_wrong_command_is_reported_once(invoke):
    done = invoke("check", "tiny.yaml", "tiny.yaml", "--plugin", "missing.py")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("missing.py") == 1


def test_json_is_a_line_a_spec(cwd, invoke):
    (cwd / "wrong.yaml").write_text("mlpkit: 2\n")
    done = invoke("check", "tiny.yaml", "wrong.yaml", "--json")
    right, wrong = map(json.loads, done.out.splitlines())
    assert done.code == 2
    assert right == {
        "spec": "tiny.yaml",
        "ok": True,
        "name": "tiny",
        "data": "mnist",
        "sizes": {"train": 150, "validation": 50, "test": 60},
        "input_shape": [16],
        "target": {"type": "Classes", "count": 10, "one_hot": False},
        "layers": [
            {"name": "Affine1", "type": "Affine", "output_shape": [5], "parameters": 85},
            {"name": "Relu1", "type": "Relu", "output_shape": [5], "parameters": 0},
            {"name": "Affine2", "type": "Affine", "output_shape": [10], "parameters": 60},
            {"name": "SoftmaxWithLoss1", "type": "SoftmaxWithLoss", "output_shape": [], "parameters": 0},
        ],
        "parameters": 145,
        "memory": 5160,
        "warnings": [],
    }
    assert (wrong["spec"], wrong["ok"]) == ("wrong.yaml", False)
    codes = {problem["code"]: problem for problem in wrong["problems"]}
    version = codes["wrong-version"]
    assert (version["file"], version["line"], version["column"], version["path"]) == ("wrong.yaml", 1, 9, "mlpkit")
    assert f"wrong.yaml:1:9: {version['message']}\n" in done.err  # people see the errors too


def test_json_of_an_error_in_the_data_names_its_file(cwd, digits, invoke):
    copies = cwd / "copies"
    copies.mkdir()
    for file in digits.iterdir():
        (copies / file.name).write_bytes(b"nonsense")
    done = invoke("check", "tiny.yaml", "--json", "--set", f"data.mnist.directory={copies}")
    document = json.loads(done.out)
    (problem,) = document["problems"]
    assert problem["code"] == "wrong-data"
    assert problem["file"].startswith(str(copies))
    assert problem["line"] is None


def test_plugins_can_be_added_and_left_out(invoke):
    slow = ("--set", "layers=[acme.Slow: {seconds: 0}, Affine: {units: 10}, SoftmaxWithLoss]")
    assert invoke("check", "tiny.yaml", *slow).code == 2
    done = invoke("check", "tiny.yaml", *slow, "--plugin", "./acme.py")
    assert done.code == 0
    assert "  Slow1             acme.Slow " in done.out
    assert invoke("check", "tiny.yaml", *slow, "--plugin", "./acme.py", "--no-plugin", "acme.Slow").code == 2


def test_a_spec_may_be_in_another_folder_and_have_any_name(cwd, invoke):
    other = cwd / "données" / "прогон 1.yaml"
    other.parent.mkdir()
    other.write_text((cwd / "tiny.yaml").read_text())
    done = invoke("check", "données/прогон 1.yaml")
    assert (done.code, done.out.splitlines()[0]) == (0, "données/прогон 1.yaml: OK")
    other.write_text("mlpkit: 1\n")
    assert invoke("check", "données/прогон 1.yaml").err.endswith("errors in données/прогон 1.yaml\n")


def test_ok_is_green_on_a_terminal(terminal):
    screen = terminal("check", "tiny.yaml")
    assert screen.wait_for_end() == 0
    assert "tiny.yaml: \x1b[32m\x1b[1mOK\x1b[0m" in screen.raw
    assert screen.lines() == GOLDEN.splitlines()


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_a_terminal_is_never_too_narrow(columns, terminal):
    inner = "{Residual: {layers: [{Residual: {layers: [Relu, {Affine: {units: 5}}]}}]}}"
    screen = terminal("check", "tiny.yaml", "--set", f"layers.Relu1={inner}", columns=columns, rows=40)
    assert screen.wait_for_end() == 0
    table = screen.lines()[4:]
    assert table[0].split() == ["layer", *(["type"] if columns > 50 else []), "output", "parameters"]
    assert table[-1].split() == ["total", "175"]
    assert len({len(line) for line in table}) == 1


def test_first_weights_and_frozen_layers_are_shown(invoke):
    assert invoke("run", "tiny.yaml", "--out", "base", "--quiet").code == 0
    options = ("--set", "initialize_from=base", "--set", "training.freeze=['*1']")
    lines = invoke("check", "tiny.yaml", *options).out.splitlines()
    assert lines[3:5] == ["  initial weights from base: Affine1, Affine2", "  frozen: Affine1, Relu1, SoftmaxWithLoss1"]
    document = json.loads(invoke("check", "tiny.yaml", *options, "--json").out)
    assert document["initialized"] == ["Affine1", "Affine2"]
    assert document["frozen"] == ["Affine1", "Relu1", "SoftmaxWithLoss1"]


def test_memory_is_named_if_it_is_a_part_worth_mentioning(invoke, monkeypatch):
    monkeypatch.setattr("mlpkit.jobs.check.memory_limit", lambda: 10**9)
    wide = ("--set", "layers.Affine1.units=300000", "--set", "training.optimizer=adam")
    done = invoke("check", "tiny.yaml", *wide)
    assert done.out.splitlines()[3] == "  memory: at least 250 MB to train, 1 GB available"
    assert json.loads(invoke("check", "tiny.yaml", *wide, "--json").out)["memory"] == 249_602_160
    assert "memory" not in invoke("check", "tiny.yaml").out


def test_only_a_spec_with_a_like_name_is_suggested(cwd, invoke):
    (cwd / "weather.yaml").write_text((cwd / "tiny.yaml").read_text())
    assert "did you mean" not in invoke("check", "Doctor.yaml").err
    assert "help: did you mean 'weather.yaml'?\n" in invoke("check", "wether.yaml").err


def test_types_are_left_out_of_a_table_that_is_too_wide_by_one():
    rows = [("layer", "type", "output", "parameters"), ("Affine1", "Affine", "5", "85")]
    whole = ["  layer    type    output  parameters", "  Affine1  Affine       5          85"]
    assert _fitting_table(rows, None) == _fitting_table(rows, len(whole[0])) == whole
    short = ["  layer    output  parameters", "  Affine1       5          85"]
    assert _fitting_table(rows, len(whole[0]) - 1) == short
