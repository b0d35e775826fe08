"""The recipes: each gives a spec that is right for any table that it is for, and says so of one that it isn't."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from requirements import Optional

import mlpkit
from mlpkit import ParameterError, Proposal
from mlpkit.jobs.check import check
from mlpkit.jobs.init_from_data import init_from_data
from mlpkit.specfile.spec import read_spec
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.first_networks.first_spec import Commented, split_comments
from mlpkit_plugins.first_networks.perceptron import ClassTarget, ValueTarget
from mlpkit_plugins.recipes import RECIPES
from mlpkit_plugins.recipes.table_recipe import TableFacts

Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

ROWS = 60
DRAW = random.Random(0)
COLUMNS = {
    "size": [f"{DRAW.gauss(10, 3):.3f}" for _ in range(ROWS)],
    "day": [f"2020-01-{i % 28 + 1:02d}" for i in range(ROWS)],
    "colour": DRAW.choices(["red", "green", "blue"], k=ROWS),
    "town": [f"town {'abcdefghijkl'[i % 12]}" for i in range(ROWS)],
    "kind": DRAW.choices(["a", "b", "c"], k=ROWS),
    "price": [f"{DRAW.gauss(100, 30):.2f}" for _ in range(ROWS)],
}
TARGETS = {"classes": "kind", "values": "price"}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return a function that writes a table of some columns."""
    monkeypatch.chdir(tmp_path)

    def write(*columns):
        rows = [columns, *zip(*(COLUMNS[name] for name in columns), strict=True)]
        (tmp_path / "t.csv").write_text("".join(",".join(row) + "\n" for row in rows))
        return {"train": "t.csv"}

    return write


@pytest.mark.parametrize("predict", TARGETS)
@pytest.mark.parametrize("inputs", [["size"], ["size", "town", "day", "colour"]])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_gives_a_right_spec_for_any_table_of_numbers(recipe, inputs, predict, table):
    first = init_from_data(table(*inputs, TARGETS[predict]), TARGETS[predict], recipe=recipe)
    checked = check(read_spec(first.path))
    kind = mlpkit.Classes if predict == "classes" else mlpkit.Values
    assert isinstance(checked.description.target, kind)
    assert [label for label, _ in first.decisions][-2:] == ["network", "training"]


@pytest.mark.parametrize("inputs", [["colour"], ["colour", "town"]])
@pytest.mark.parametrize("recipe", ["realmlp_td_s", "realmlp_td", "tabm"])
def test_a_recipe_gives_a_right_spec_for_a_table_of_categories(recipe, inputs, table):
    check(read_spec(init_from_data(table(*inputs, "kind"), "kind", recipe=recipe).path))


def test_waves_need_numbers(table):
    with pytest.raises(ParameterError, match=r"mlp_plr embeds numbers, but no input column holds any") as caught:
        Csv.recipes()["mlp_plr"](table("colour", "kind"), "kind")
    assert (caught.value.parameter, caught.value.remedy) == ("recipe", "take realmlp_td_s, or leave out --recipe")


def test_columns_of_many_categories_have_vectors_in_realmlp_td(table, tmp_path):
    path = init_from_data(table("size", "town", "colour", "kind"), "kind", recipe="realmlp_td").path
    spec = mlpkit.load_spec(path, overrides={"training.epochs": 1})
    held = {column.name: column.holds for column in spec.data().describe().columns}
    assert (held["size"], held["town"]) == ("numbers", "categories")
    assert "one_hot" in held.values()
    network = mlpkit.run(spec, tmp_path / "run", quiet=True).network
    assert any("Embedding1." in name for name in network.parameters)


def test_parquet_has_the_same_recipes_as_csv():
    assert list(Csv.recipes()) == list(Parquet.recipes()) == list(RECIPES)


@given(rows=st.integers(1, 10**6), exponent=st.integers(0, 9))
def test_an_epoch_has_two_minibatches_of_the_largest_size_that_allows_it(rows, exponent):
    usual = 2**exponent
    batch = TableFacts(rows, ValueTarget(), [], {}).batch_size(usual)
    assert batch.bit_count() == 1
    assert batch <= usual
    assert 2 * batch <= rows or batch == 1
    assert batch == usual or 4 * batch > rows


def test_comments_go_apart_by_path():
    spec = {"layers": [Commented({"Scale": {"s": Commented(1, "at first")}}, "which matter"), "Relu"]}
    assert split_comments(spec) == (
        {"layers": [{"Scale": {"s": 1}}, "Relu"]},
        {("layers", 0): "which matter", ("layers", 0, "Scale", "s"): "at first"},
    )


def test_rows_without_a_target_are_not_counted_as_training_rows(table, monkeypatch):
    files = table("size", "kind")
    monkeypatch.setitem(COLUMNS, "kind", [*COLUMNS["kind"][:8], *[""] * (ROWS - 8)])
    table("size", "kind")
    proposal = Csv.recipes()["realmlp_td_s"](files, "kind")
    assert isinstance(proposal, Proposal)
    assert proposal.spec["training"]["batch_size"] == 2


def test_realmlp_td_embeds_columns_of_more_than_eight_categories():
    facts = TableFacts(900, ValueTarget(), [], {"eight": 8, "nine": 9})
    network, _ = split_comments(RECIPES["realmlp_td"](facts)._asdict())
    assert network["data"]["categories_by_column"] == {"nine": "index"}
    assert network["layers"][0] == {"Columns": {"categories": [{"Embedding": {"size": 8}}]}}


TABLES = {
    "many rows": TableFacts(5000, ClassTarget({"a": 9, "b": 1}), ["numbers", "dates"], {"colour": 3, "town": 12}),
    "few rows": TableFacts(200, ValueTarget(), ["numbers"], {}),
    "no numbers": TableFacts(5000, ValueTarget(), [], {"colour": 3}),
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_word_for_word_what_it_was(recipe, golden):
    """Constants and comments of recipes are those of their papers, which no other test can know."""
    said = {}
    for name, facts in TABLES.items():
        if recipe != "mlp_plr" or facts.groups:
            network = RECIPES[recipe](facts)._asdict()
            spec, comments = split_comments({key: network[key] for key in ("data", "layers", "training")})
            said[name] = {"title": network["title"], "decisions": [": ".join(each) for each in network["decisions"]]}
            said[name] |= {**spec, "comments": {".".join(map(str, path)): text for path, text in comments.items()}}
    style = {"sort_keys": False, "width": 120, "default_flow_style": None}
    text = yaml.safe_dump(json.loads(json.dumps(said)), **style)
    golden(Path(__file__).parent / f"{recipe}.golden.yaml", text)
