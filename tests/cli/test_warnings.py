"""Deprecated components, and what is most likely not meant: the commands that use a spec warn, and do their work."""

from __future__ import annotations

import json
from shutil import copytree

import pytest

from mlpkit import load_spec, resume, run
from mlpkit.training.events import StopRequest

WARNING = """\
tiny.yaml:6:5: warning: layer old.Old is deprecated
    6 |   - old.Old
      |     ^^^^^^^
  help: use Relu

"""

OLD = """
from mlpkit import Layer, component, hookimpl

class Old(Layer):
    def forward(self, x):
        return x
    backward = forward

@hookimpl
def mlpkit_components():
    return [component("layer", "Old", Old, deprecated="use Relu")]
"""


@pytest.fixture
def deprecated(cwd):
    """Let the spec name a deprecated component, and return the options that bring it in."""
    (cwd / "old.py").write_text(OLD)
    spec = (cwd / "tiny.yaml").read_text().replace("data:\n  mnist:", "data: {mnist:").replace("50}\n", "50}}\n")
    (cwd / "tiny.yaml").write_text(spec.replace("- Relu", "- old.Old"))
    return ("tiny.yaml", "--plugin", "old.py")


def test_check_warns(invoke, deprecated):
    done = invoke("check", *deprecated)
    assert (done.code, done.err) == (0, WARNING)
    assert done.out.startswith("tiny.yaml: OK\n")
    done = invoke("check", *deprecated, "--json")
    assert (done.code, done.err) == (0, WARNING)
    (warning,) = json.loads(done.out)["warnings"]
    assert (warning["line"], warning["column"], warning["help"]) == (6, 5, "use Relu")


@pytest.mark.parametrize(
    ("override", "wrong"),
    [
        ("layers.Affine2.units=none", "an integer, at least 1"),  # in the stage that sees the deprecated component
        ("data.mnist.flatten=false", "a shape with 1 axis"),  # in the stage after it
    ],
)
def test_what_is_wrong_hides_no_warning(invoke, deprecated, override, wrong):
    for verb in ("check", "run"):
        done = invoke(verb, *deprecated, "--set", override)
        assert done.code == 2
        assert done.err.startswith(WARNING)
        assert done.err.count("is deprecated") == 1
        assert wrong in done.err
    report = json.loads(invoke("check", *deprecated, "--set", override, "--json").out)
    assert [warning["line"] for warning in report["warnings"]] == [6]


@pytest.mark.parametrize("how", ["--quiet", "--json"])
def test_run_warns(mlpkit, deprecated, how):
    done = mlpkit("run", *deprecated, how)
    assert (done.code, done.err) == (0, WARNING)


def test_resume_and_repro_warn_at_the_line_of_the_resolved_spec(invoke, deprecated, cwd):
    stop = StopRequest()
    stop.stop("the test")
    with pytest.warns(FutureWarning, match=r"tiny.yaml:6:5: layer old.Old is deprecated"):
        spec = load_spec(deprecated[0], plugins=[deprecated[2]])
    run(spec, "run", stop=stop)
    copytree("run", "copy")
    with pytest.warns(FutureWarning, match=r"^copy/resolved.yaml:\d+:3: layer old.Old is deprecated"):
        resume("copy", plugins=[deprecated[2]])
    line = (cwd / "run/resolved.yaml").read_text().split("\n").index("- old.Old: {name: Old1}") + 1
    for verb in ("resume", "repro"):
        done = invoke(verb, "run", *deprecated[1:], "--quiet")
        assert (done.code, done.err.splitlines()[0]) == (
            0,
            f"run/resolved.yaml:{line}:3: warning: layer old.Old is deprecated",
        )
        assert "  help: use Relu" in done.err


def test_a_broken_plugin_is_reported_at_the_line_that_needs_it(cwd, invoke, deprecated):
    (cwd / "old.py").write_text("import no_such_library\n")
    done = invoke("check", *deprecated)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "tiny.yaml:6:5: the plugin 'old' (old.py) is broken: ModuleNotFoundError: No module named 'no_such_library' "
        "(old.py, line 1)\n    6 |   - old.Old\n      |     ^^^^^^^\n\n1 error in tiny.yaml\n"
    )


def test_a_plugin_that_prints_does_not_spoil_the_results(cwd, mlpkit, deprecated):
    (cwd / "old.py").write_text("print('hello')\n" + OLD)
    done = mlpkit("check", *deprecated, "--json")
    assert json.loads(done.out)["ok"] is True
    assert done.err.startswith("hello\n")


@pytest.fixture
def sliced(cwd):
    """Cut the minibatches of a network with batch normalisation, inside another layer too, into slices."""
    spec = (cwd / "tiny.yaml").read_text().replace("- Relu", "- Residual: {layers: [BatchNorm]}")
    (cwd / "tiny.yaml").write_text(spec + "  slices: 2\n")


SLICED = """\
tiny.yaml:16:11: warning: Residual1.BatchNorm1 computes over the examples of each of the 2 slices alone, which gives \
different results from one slice
   16 |   slices: 2
      |           ^
  help: leave out slices, unless that is intended

"""


@pytest.mark.parametrize("verb", [("check",), ("run", "--quiet")])
def test_slices_of_examples_that_affect_each_other(verb, sliced, invoke):
    done = invoke(*verb, "tiny.yaml")
    assert (done.code, done.err) == (0, SLICED)
    done = invoke(*verb, "tiny.yaml", "--set", "training.slices=1")
    assert (done.code, done.err) == (0, "")


DECAYS = """\
tiny.yaml:16:3: warning: decays has no effect: adam has no weight decay here
   16 |   decays: {"*.W": 2}
      |   ^^^^^^
  help: leave out decays, or choose an optimizer with weight decay and give it one

"""


def test_factors_of_a_weight_decay_that_the_optimizer_has_not(cwd, invoke):
    spec = (cwd / "tiny.yaml").read_text()
    (cwd / "tiny.yaml").write_text(spec + '  decays: {"*.W": 2}\n')
    adam = ("--set", "training.optimizer=adam")
    assert invoke("check", "tiny.yaml", *adam).err == DECAYS
    assert invoke("check", "tiny.yaml", "--set", "training.optimizer=adamw").err == ""
    no_decay = invoke("check", "tiny.yaml", "--set", "training.optimizer={adamw: {weight_decay: 0}}")
    assert "decays has no effect: adamw has no weight decay here" in no_decay.err
    assert no_decay.code == 0


PRECISION = """\
tiny.yaml:16:3: warning: precision has no effect: no layer multiplies matrices in bfloat16
   16 |   precision: bfloat16
      |   ^^^^^^^^^
  help: leave it out

"""


def test_a_precision_that_no_layer_computes_in(cwd, invoke):
    spec = (cwd / "tiny.yaml").read_text() + "  precision: bfloat16\n"
    (cwd / "tiny.yaml").write_text(spec)
    assert invoke("check", "tiny.yaml").err == ""
    spec = spec.replace("Affine: {units: 5}", "Reshape: {shape: [1, 4, 4]}").replace("Affine: {units: 10}", "Flatten")
    spec = spec.replace("- Relu", "- Conv2d: {filters: 10, size: 4}")
    (cwd / "tiny.yaml").write_text(spec)
    assert invoke("check", "tiny.yaml").err == PRECISION


TOWNS = """\
mlpkit: 1
data:
  csv: {file: towns.csv, target: kind, categorical: [town, size], categories: index, split: shuffle}
layers:
  - Affine: {units: 2}
  - SoftmaxWithLoss
training: {optimizer: adam, epochs: 1}
"""
INDICES = """\
towns.yaml:5:5: warning: no layer looks up the categories of the column 'town' and 1 more, so that their places, from \
0 to 3, count as numbers
    5 |   - Affine: {units: 2}
      |     ^
  help: give the categories to an embedding at the network's input, or encode them one-hot in the data set

"""


def test_indices_of_categories_that_no_layer_looks_up(cwd, invoke):
    rows = "".join(f"{town},{size},{kind}\n" for town in "abc" for size in "sl" for kind in "xy" for _ in range(50))
    (cwd / "towns.csv").write_text("town,size,kind\n" + rows)
    (cwd / "towns.yaml").write_text(TOWNS)
    assert invoke("check", "towns.yaml").err == INDICES
    looked_up = TOWNS.replace("- Affine", "- Columns: {categories: [Embedding]}\n  - Affine", 1)
    for followed in (looked_up, TOWNS.replace("index", "one_hot")):
        (cwd / "towns.yaml").write_text(followed)
        assert invoke("check", "towns.yaml").err == ""


def test_indices_of_one_column_that_no_layer_looks_up(cwd, invoke):
    (cwd / "towns.csv").write_text("town,kind\n" + "a,x\nb,y\nc,x\na,y\n" * 50)
    (cwd / "towns.yaml").write_text(TOWNS.replace("town, size", "town"))
    assert invoke("check", "towns.yaml").err == INDICES.replace(" and 1 more", "")


def test_in_python_a_run_warns_once(sliced):
    spec = load_spec("tiny.yaml")
    with pytest.warns(UserWarning, match=r"^tiny.yaml:16:11: Residual1.BatchNorm1 computes over") as caught:
        run(spec)
    assert len(caught) == 1
