"""A first spec for a file of data, proposed by any data set."""

from __future__ import annotations

import sys

import pytest
from requirements import require_components_of, require_package

from mlpkit.errors import ComponentFailure, DataError, PluginError, StorageError, UsageError
from mlpkit.jobs.init_from_data import init_from_data, names_of_recipes
from mlpkit.specfile.spec import read_spec

PLUGIN = '''\
from mlpkit import Classes, DataError, Dataset, Description, ParameterError, Proposal, component, hookimpl

SPEC = {
    "data": {"dots.dots": {"file": "a.dots"}},
    "layers": [{"Affine": {"units": 2}}, "SoftmaxWithLoss"],
    "training": {"optimizer": "sgd", "epochs": 1},
}


class Dots(Dataset):
    """Dots.

    Args:
        file: the file.
    """

    def __init__(self, file: str) -> None:
        self.file = file

    @classmethod
    def propose(cls, files, target):
        if not files["train"].endswith(".dots"):
            return None
        if target == "fail":
            return 1 / 0
        if target == "number":
            return 3
        if target == "wrong":
            return Proposal({**SPEC, "layers": []}, {}, [])
        if target == "damaged":
            raise DataError(files["train"], "there are no dots", row=3)
        if target is None:
            raise ParameterError("target", "no target is named", expected="dots", remedy="name one")
        comments = {("data", "dots.dots"): f"{target} of {', '.join(files.values())}"}
        return Proposal(SPEC, comments, [("dots", "many")])

    @classmethod
    def recipes(cls):
        return {"two": cls.propose_two, "tow_truck": cls.propose_two}

    @classmethod
    def propose_two(cls, files, target):
        if not files["train"].endswith(".dots"):
            return None
        if target == "odd":
            raise ParameterError("recipe", "two is for even numbers of dots")
        return cls.propose(files, target)._replace(decisions=[("dots", "two")])

    def describe(self):
        return Description((2,), Classes(2), {"train": 1})

    def open(self, seed):
        return {}


@hookimpl
def mlpkit_components():
    return [component("dataset", "dots", Dots)]
'''


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dots.py").write_text(PLUGIN)
    return ["dots.py"]


def test_a_data_set_of_a_plugin_proposes_a_spec(tmp_path, plugins):
    first = init_from_data({"train": "a.dots", "test": "b.dots"}, "ink", plugins=plugins)
    assert str(first.path) == "a.mlpkit.yaml"
    assert first.decisions == [("dots", "many")]
    assert "  dots.dots:  # ink of a.dots, b.dots\n" in (tmp_path / "a.mlpkit.yaml").read_text()
    assert read_spec(first.path, plugins=plugins).data.name == "dots.dots"


@pytest.mark.parametrize(
    ("target", "kind", "expected"),
    [
        (None, UsageError, "^--target: no target is named; expected dots; name one$"),
        ("fail", ComponentFailure, "dataset dots.dots failed in propose: ZeroDivisionError"),
        ("number", ComponentFailure, "dataset dots.dots returned something of type int from propose"),
        ("wrong", PluginError, "dataset dots.dots proposed a spec that is wrong: .*the list of layers is empty"),
        ("damaged", DataError, "^a.dots, row 3: there are no dots$"),
    ],
)
def test_what_goes_wrong_in_a_plugin_leaves_no_file(tmp_path, plugins, target, kind, expected):
    with pytest.raises(kind, match=expected):
        init_from_data({"train": "a.dots"}, target, plugins=plugins)
    assert not (tmp_path / "a.mlpkit.yaml").exists()


def test_a_data_set_of_a_plugin_has_recipes(plugins):
    first = init_from_data({"train": "a.dots"}, "ink", recipe="two", plugins=plugins)
    assert first.decisions == [("dots", "two")]


@pytest.mark.parametrize(
    ("file", "target", "recipe", "expected"),
    [
        ("a.dots", "odd", "two", "^--recipe: two is for even numbers of dots$"),
        ("a.dots", "ink", "tow", "^--recipe: unknown recipe 'tow'; expected one of .*two, tow_truck; did you mean"),
        (
            "a.dots",
            "ink",
            "realmlp_td",
            "^--recipe: realmlp_td is a recipe for csv and parquet, but dots.dots reads 'a.dots'; ",
        ),
        ("a.xyz", "ink", "two", "^no data set reads 'a.xyz' to propose a spec; "),
    ],
)
def test_recipes_that_can_not_serve(tmp_path, plugins, file, target, recipe, expected):
    require_components_of(expected)
    with pytest.raises(UsageError, match=expected):
        init_from_data({"train": file}, target, recipe=recipe, plugins=plugins)
    assert not (tmp_path / "a.mlpkit.yaml").exists()


@pytest.mark.parametrize(
    ("returned", "expected"),
    [("3", "dataset dots.dots returned something of type int from recipes"), ("1 / 0", "dots.dots failed in recipes")],
)
def test_recipes_that_are_none(tmp_path, plugins, returned, expected):
    (tmp_path / "dots.py").write_text(
        PLUGIN.replace('{"two": cls.propose_two, "tow_truck": cls.propose_two}', returned)
    )
    with pytest.raises(ComponentFailure, match=expected):
        init_from_data({"train": "a.dots"}, "ink", recipe="two", plugins=plugins)


def test_without_data_sets_there_are_no_recipes(plugins):
    with pytest.raises(UsageError, match=r"^--recipe: unknown recipe 'two'; no data set has any$"):
        init_from_data({"train": "a.csv"}, "y", recipe="two", blocked=["csv", "parquet"])


def test_a_file_that_no_data_set_reads(plugins):
    require_package("pyarrow")
    with pytest.raises(
        UsageError, match=r"^no data set reads 'a.xyz' to propose a spec; .* are idx, csv, parquet, .*dots"
    ):
        init_from_data({"train": "a.xyz"}, "y", plugins=plugins)


def test_a_data_set_can_be_left_out(plugins):
    with pytest.raises(UsageError, match=r"^no data set reads 'a.csv' to propose a spec; "):
        init_from_data({"train": "a.csv"}, "y", blocked=["csv"])


def test_an_existing_file_is_never_overwritten(tmp_path, plugins):
    (tmp_path / "a.mlpkit.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"^a.mlpkit.yaml exists already; choose another name with --out$"):
        init_from_data({"train": "a.dots"}, "ink", plugins=plugins)
    assert (tmp_path / "a.mlpkit.yaml").read_text() == "mine"


def test_a_folder_that_is_missing_is_an_error(tmp_path, plugins):
    with pytest.raises(StorageError):
        init_from_data({"train": "a.dots"}, "ink", tmp_path / "nowhere" / "a.yaml", plugins=plugins)


def test_the_spec_names_files_as_seen_from_its_own_folder(tmp_path, plugins):
    (tmp_path / "a.dots").write_text("")
    (tmp_path / "specs").mkdir()
    init_from_data({"train": "a.dots"}, "ink", tmp_path / "specs" / "a.yaml", plugins=plugins)
    assert "file: ../a.dots" in (tmp_path / "specs/a.yaml").read_text()


@pytest.mark.parametrize(
    ("file", "spec"),
    [
        ("my data (1).v2.dots", "my_data_1.mlpkit.yaml"),
        ("folder/a.b.dots", "a.mlpkit.yaml"),
        ("ä.dots", "a.mlpkit.yaml"),
    ],
)
def test_the_spec_is_called_like_the_data(plugins, file, spec):
    assert str(init_from_data({"train": file}, "ink", plugins=plugins).path) == spec


def test_a_data_set_whose_library_is_missing_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for name in [name for name in sys.modules if "parquet" in name]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(PluginError, match=r'pip install "mlpkit\[parquet\]"'):
        init_from_data({"train": "a.parquet"}, "y")


@pytest.mark.parametrize(
    ("wishes", "options"),
    [({"drop": ["x"]}, "--drop"), ({"targets": ["a", "b"], "predict": "values"}, "several --target and --predict")],
)
def test_what_only_tables_take_is_named(plugins, wishes, options):
    with pytest.raises(UsageError) as caught:
        init_from_data({"train": "a.dots"}, "ink", wishes=wishes, plugins=plugins)
    assert str(caught.value) == f"{options}: this is for tables, but dots.dots reads 'a.dots'"


def test_why_no_data_set_reads_a_file(tmp_path, plugins):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").touch()
    for name, note in (
        ("away.xyz", ["note: there is no file or folder 'away.xyz'"]),
        ("empty", ["note: the folder 'empty' is empty"]),
        ("full", []),  # an initializer is called so, too
    ):
        with pytest.raises(UsageError, match=f"^no data set reads '{name}' to propose a spec; the ones that") as caught:
            init_from_data({"train": name}, "y", plugins=plugins)
        assert getattr(caught.value, "__notes__", []) == note


def test_a_data_set_whose_library_is_missing_is_named_if_no_other_reads_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for name in [name for name in sys.modules if "parquet" in name]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "a.xyz").touch()
    with pytest.raises(UsageError, match=r"^no data set reads 'a\.xyz'") as caught:
        init_from_data({"train": "a.xyz"}, "y")
    assert [note for note in caught.value.__notes__ if note.startswith("note: ") and "mlpkit[parquet]" in note]


def test_names_of_recipes_leave_out_data_sets_that_fail(tmp_path, plugins):
    every = names_of_recipes(plugins=plugins)
    assert {"two", "tow_truck"} <= set(every)
    assert len(every) == len(set(every))
    recipes = '{"two": cls.propose_two, "tow_truck": cls.propose_two}'
    (tmp_path / "other.py").write_text(PLUGIN.replace(recipes, "1 / 0").replace('"dots", Dots', '"other", Dots'))
    assert names_of_recipes(plugins=["other.py"]) == [name for name in every if name not in ("two", "tow_truck")]
