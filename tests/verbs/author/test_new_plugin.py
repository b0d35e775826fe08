"""Writing a package that provides a component. That its tests pass is seen in ``tests/plugin_packages``."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from requirements import require_package

import mlpkit
from mlpkit.components.kinds import IN_SPECS, KINDS
from mlpkit.errors import StorageError, UsageError
from mlpkit.verbs.author.new_plugin import TEMPLATES, new_plugin

COMMON = {
    ".github/dependabot.yml",
    ".github/workflows/publish.yml",
    ".github/workflows/test.yml",
    ".gitignore",
    ".mlpkit-plugin.json",
    "AGENTS.md",
    "LICENSE",
    "README.md",
    "acme_mlpkit/__init__.py",
    "example.yaml",
    "pyproject.toml",
    "tests/test_conformance.py",
}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_there_is_a_template_for_every_kind():
    assert {path.name for path in TEMPLATES.iterdir()} == {"common", *KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_is_complete(kind):
    folder = new_plugin("acme", kind)
    assert folder.name == "acme-mlpkit"
    own = sorted(files_of(folder) - COMMON)
    assert files_of(folder) > COMMON
    (module,) = [re.fullmatch(r"acme_mlpkit/(\w+)\.py", name)[1] for name in own if name.startswith("acme_mlpkit/")]
    assert own == [f"acme_mlpkit/{module}.py", f"tests/test_{module}.py"]
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["name"] == "acme-mlpkit"
    assert project["project"]["entry-points"]["mlpkit"] == {"acme": "acme_mlpkit"}
    spec = yaml.safe_load((folder / "example.yaml").read_text("utf-8"))
    assert ("acme." in str(spec)) == (kind in IN_SPECS)
    assert "${{ matrix.python }}" in (folder / ".github/workflows/test.yml").read_text("utf-8")
    readme = (folder / "README.md").read_text("utf-8")
    assert "mlpkit run example.yaml" in readme
    tree = ast.parse((folder / f"acme_mlpkit/{module}.py").read_text("utf-8"))
    (component,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.bases]
    assert " ".join(ast.get_docstring(component).partition("\n\n")[0].split()) in readme


def test_workflows_use_the_actions_of_our_own_by_their_commits():
    def actions(folder):
        return {
            line for path in folder.iterdir() for line in re.findall(r"uses: (\S+@\S+ # .+)", path.read_text("utf-8"))
        }

    written = actions(new_plugin("acme") / ".github/workflows")
    assert len(written) == 5
    assert written <= actions(Path(__file__).parents[3] / ".github/workflows")


@pytest.mark.parametrize(("version", "bound"), [("0.1.0", "0.3"), ("0.12.3", "0.14"), ("1.0.0", "2"), ("3.2.1", "4")])
def test_the_upper_bound_is_the_first_version_that_may_lack_what_this_one_has(version, bound, monkeypatch):
    monkeypatch.setattr(mlpkit, "__version__", version)
    project = tomllib.loads((new_plugin("acme") / "pyproject.toml").read_text("utf-8"))
    assert f"mlpkit>={version},<{bound}" in project["project"]["dependencies"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_fill_in_and_the_code_is_in_order(kind):
    require_package("ruff")
    folder = new_plugin("my_own", kind)
    for name in files_of(folder):
        text = (folder / name).read_text("utf-8").replace("${{", "")
        assert "$" not in text, name
        assert text.endswith("\n"), name
    for command in (["check", "--select=E,F,W,I,B,D1,N,UP,SIM", "--ignore=D103,D105,D107"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length=120", "."]
        done = subprocess.run(ruff, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_namespace_of_several_words():
    folder = new_plugin("acme_vision", "metric")
    assert folder.name == "acme-vision-mlpkit"
    assert (folder / "acme_vision_mlpkit/__init__.py").is_file()
    assert 'conformance("acme_vision")' in (folder / "tests/test_conformance.py").read_text("utf-8")


def test_the_folder_may_be_named_and_may_be_empty(tmp_path):
    (tmp_path / "here").mkdir()
    for folder in (tmp_path / "here", tmp_path / "a/b/c"):
        assert new_plugin("acme", folder=folder) == folder
        assert (folder / "pyproject.toml").is_file()
        assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "namespace", ["Acme", "2d", "acme-vision", "acme.vision", "_acme", "acme_", "", "a b", "class"]
)
def test_what_can_not_be_a_namespace(namespace, tmp_path):
    with pytest.raises(UsageError, match="can't be a namespace; expected a word or words in snake_case, such as acme"):
        new_plugin(namespace)
    assert list(tmp_path.iterdir()) == []


def test_a_namespace_that_is_taken(tmp_path):
    with pytest.raises(UsageError, match=r"the namespace 'mlpkit' is taken by mlpkit [\d.]+, which is installed"):
        new_plugin("mlpkit")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_stays_as_it_is(tmp_path):
    folder = tmp_path / "acme-mlpkit"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(UsageError) as caught:
        new_plugin("acme")
    assert str(caught.value) == "acme-mlpkit exists already; choose another folder with --out"
    assert files_of(tmp_path) == {"acme-mlpkit/mine.txt"}
    with pytest.raises(UsageError, match="exists already"):
        new_plugin("acme", folder=folder / "mine.txt")


def test_a_folder_that_can_not_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/acme: can't be written: File exists; a file is in the way"):
        new_plugin("acme", folder=tmp_path / "file" / "acme")
