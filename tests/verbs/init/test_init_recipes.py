"""``mlpkit init --data --recipe``: a strong network for a person's own table."""

from __future__ import annotations

import json

import pytest
from requirements import require_components_of

RECIPES = ["realmlp_td_s", "realmlp_td", "mlp_plr", "tabm"]
SHORT = ("--quiet", "--set", "training.epochs=null", "--set", "training.iterations=2")


def test_a_recipe_is_filled_in_checked_and_trained_as_it_stands(cwd, invoke):
    done = invoke("init", "--data", "example:loans.csv", "--target", "paid_back", "--recipe", "realmlp_td_s")
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == """\
loans.mlpkit.yaml:
  rows        400 of example:loans.csv
  target      paid_back, 2 classes: no 18%, yes 82%
  numbers     3: amount, income, years_in_job
  categories  1: purpose (3)
  network     RealMLP-TD-S: 3 hidden layers of 256 units
  training    256 epochs, in minibatches of 64
next:
  mlpkit run loans.mlpkit.yaml
  mlpkit predict runs/loans new.csv
"""
    )
    assert (
        (cwd / "loans.mlpkit.yaml")
        .read_text()
        .startswith(
            """\
# RealMLP-TD-S, a strong and simple network for tables: predicts paid_back from example:loans.csv.
mlpkit: 1
data:
  csv:
    file: example:loans.csv
    target: paid_back
    predict: classes  # 2 classes: no 18%, yes 82%
    categorical: [purpose]
    unknown: zeros  # a category unseen in training becomes zeros
    missing: fill  # no value is missing here; in new rows, the mean replaces it
    validation: 0.2
    test: 0.2
    numbers: robust_smooth_clip  # median 0, quartiles 1 apart, outliers within ±3
    sign_of_two: true  # two categories become one input, 1 or -1
    encode_one_hot: true  # one-hot inputs are scaled like numbers
layers:
  - Scale  # a factor for each input, which learns how much it matters
"""
        )
    )
    assert invoke("check", "loans.mlpkit.yaml").code == 0
    assert invoke("run", "loans.mlpkit.yaml", *SHORT).code == 0
    assert "accuracy" in json.loads((cwd / "runs/loans/metrics.json").read_text())["test"]
    assert len(invoke("predict", "runs/loans", "example:loans.csv").out.splitlines()) == 401


PLUGIN = """
from mlpkit import component, hookimpl
from mlpkit_plugins.datasets.idx import Idx

class Dots(Idx):
    "A data set with a recipe."
    @classmethod
    def recipes(cls):
        return RECIPES

@hookimpl
def mlpkit_components():
    return [component("dataset", "dots", Dots)]
"""


@pytest.mark.parametrize(("own", "named"), [('{"dotted": None}', ", dotted"), ("1 / 0", "")])
def test_the_list_of_specs_names_the_recipes_of_all_plugins(own, named, cwd, invoke):
    (cwd / "dots.py").write_text(PLUGIN.replace("RECIPES", own))
    done = invoke("init", "--plugin", "dots.py")
    assert (done.code, "dotted" in done.out) == (0, False)
    expected = f"with --recipe {', '.join(RECIPES)}{named} or none\n"
    assert done.err == f"for your own data: mlpkit init --data FILE --target NAME, {expected}"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--data", "example:loans.csv", "--target", "paid_back", "--recipe", "realmpl_td"],
            f"error: --recipe: unknown recipe 'realmpl_td'; expected one of {', '.join(RECIPES)}; "
            "did you mean 'realmlp_td'?\n",
        ),
        (["--recipe", "tabm"], "error: --recipe needs --data, the file to write a spec for\n"),
        (["tabm", "--recipe", "tabm"], "error: --recipe needs --data, the file to write a spec for\n"),
        (
            ["tabm", "--data", "example:loans.csv", "--target", "paid_back"],
            "error: NAME copies a shipped spec, and --data writes a new one; leave out one of the two, or name the new "
            "one with --out\n",
        ),
        (
            ["--data", "example:loans.csv", "--recipe", "tabm"],
            "error: --target: no column was named to predict; expected one of amount, ",
        ),
        (
            ["--data", "example:shapes.npz", "--recipe", "tabm"],
            "error: --recipe: tabm is a recipe for csv and parquet, but npz reads 'example:shapes.npz'; leave out "
            "--recipe\n",
        ),
        (
            ["--data", "words.csv", "--target", "kind", "--recipe", "mlp_plr"],
            "error: --recipe: mlp_plr embeds numbers, but no input column holds any; take "
            "realmlp_td_s, or leave out --recipe\n",
        ),
    ],
)
def test_wrong_usage(arguments, expected, cwd, invoke):
    require_components_of(expected)
    (cwd / "words.csv").write_text("colour,kind\n" + "red,a\nblue,b\nred,b\n" * 30)
    done = invoke("init", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(expected)
    assert not list(cwd.glob("[lws]*.yaml"))
