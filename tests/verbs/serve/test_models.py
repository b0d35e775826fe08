"""Models by name and version, and files that change while they are served."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from requirements import require_package

from mlpkit.errors import MlpkitError, UsageError
from mlpkit.registry.registry import Registry

require_package("starlette")
from mlpkit.verbs.serve.models import MOST_RECENT, Models, Version, given, message_of
from mlpkit.verbs.serve.refusals import Refusal
from mlpkit.verbs.serve.rows import Rows


def test_a_run_may_have_a_name(cwd):
    assert given("runs/a") == ("", Path("runs/a"))
    assert given("A1.b-c_d=runs/a=b") == ("A1.b-c_d", Path("runs/a=b"))
    (cwd / "a=b").mkdir()
    assert given("a=b") == ("", Path("a=b"))
    for name in ("", ".a", "a b", "a/b", "-a"):
        with pytest.raises(UsageError, match=f"^a model can't be called '{name}', which is a part of its address; "):
            given(f"{name}=runs/a")


def test_runs_of_one_name_are_its_versions(runs):
    registry = Registry.discover()
    models = Models([f"b={runs / 'loans'}", str(runs / "houses"), f"b={runs / 'weather'}"], registry)
    names = {"loans": "b", "houses": "houses", "weather": "b"}
    assert [(each.model, each.version, each.path.name) for each in models] == [
        ("b", "1", "loans"),
        ("b", "2", "weather"),
        ("houses", "1", "houses"),
    ]
    assert [models.find(*asked).path.name for asked in (("b",), ("b", "1"), ("houses", "1"))] == [
        *("weather", "loans", "houses")
    ]
    assert names[models.find("b", "2").path.name] == "b"
    assert Models([str(runs / "loans")], registry).find().model == "loans"
    with pytest.raises(Refusal, match=r"^there are several models; expected one of /models/b/predict, /models/houses/"):
        models.find()
    for asked, text in {
        ("house",): "there is no model 'house'; did you mean 'houses'?",
        ("quartz", "1"): "there is no model 'quartz'; expected one of b, houses",
        ("b", "3"): "the model 'b' has no version '3'; expected one of 1, 2",
        ("houses", ""): "the model 'houses' has no version ''; expected one of 1",
    }.items():
        with pytest.raises(Refusal) as caught:
            models.find(*asked)
        assert (caught.value.status, caught.value.problem.code, str(caught.value)) == (404, "wrong-name", text)
    with pytest.raises(MlpkitError, match="nothing"):
        Models([str(runs / "nothing")], registry)


@pytest.fixture
def version(runs, tmp_path):
    shutil.copytree(runs / "loans", tmp_path / "loans")
    return Version("loans", "3", tmp_path / "loans", Registry.discover())


def test_a_file_that_changes_is_tried_once(version):
    first, content = version.loaded, version.file.read_bytes()
    version.recent.append((1,))
    assert (version.file.name, version.has_changed()) == ("model.safetensors", False)
    version.file.write_bytes(content[:-7])
    assert version.has_changed()
    with pytest.raises(MlpkitError) as caught:
        version.reload()
    assert message_of(caught.value, version) == f"warning: loans (version 3) stays as it was: {caught.value}"
    assert (version.loaded is first, version.has_changed(), [*version.recent]) == (True, False, [(1,)])
    version.file.unlink()
    assert not version.has_changed()
    version.file.write_bytes(content)
    assert version.has_changed()
    version.reload()
    assert (version.loaded is first, version.has_changed(), [*version.recent]) == (False, False, [])
    assert version.loaded.directory == version.path


@pytest.mark.parametrize("change", [{"ns": 5}, {"size": 1}])
def test_a_file_of_another_time_or_size_is_another(change, version):
    stat = version.file.stat()
    if "size" in change:
        with version.file.open("ab") as file:
            file.write(b"x")
    os.utime(version.file, ns=(stat.st_atime_ns, stat.st_mtime_ns + change.get("ns", 0)))
    assert version.has_changed()


def test_errors_of_other_kinds_have_their_name(version):
    assert message_of(KeyError("a"), version) == "warning: loans (version 3) stays as it was: KeyError: 'a'"
    assert message_of(OSError("full"), version).endswith(" stays as it was: full")


def test_the_last_rows_are_kept_but_not_those_of_csv(version):
    version.keep(Rows(b"amount\n1\n"))
    assert [*version.recent] == []
    version.keep(Rows({"amount": [1, 2], "purpose": ["a", None]}))
    assert [*version.recent] == [(1, "a"), (2, None)]
    version.keep(Rows(np.arange(2 * MOST_RECENT).reshape(-1, 1)))
    assert [int(row[0]) for row in (version.recent[0], version.recent[-1])] == [MOST_RECENT, 2 * MOST_RECENT - 1]


def test_a_model_file_has_no_drift_and_a_folder_needs_rows(version, runs):
    alone = Version("a", "1", runs / "loans" / "model.safetensors", Registry.discover())
    assert (alone.loaded.directory, alone.file) == (None, alone.path)
    with pytest.raises(Refusal, match=r"^a model file alone has no statistics of training$"):
        alone.drift()
    with pytest.raises(Refusal, match=r"^no rows are kept yet$"):
        version.drift()


def test_the_drift_of_kept_rows_is_that_of_a_file_with_them(version, runs, tmp_path, invoke):
    rows = [{"amount": 1.5 + i % 7, "income": 3 + i / 8, "years_in_job": i % 5, "purpose": "car"} for i in range(40)]
    version.keep(Rows({name: [row[name] for row in rows] for name in rows[0]}))
    version.keep(Rows({name: [value] for name, value in (rows[0] | {"years_in_job": True}).items()}))
    rows.append(rows[0] | {"years_in_job": 1})
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    done = invoke("data", tmp_path / "rows.csv", "--against", version.path, "--json")
    expected = json.loads(done.out.splitlines()[0]) | {"new": "the last 41 rows"}
    assert json.loads(json.dumps(version.drift(), default=str)) == expected
    images = Version("x", "1", runs / "shapes_npz", Registry.discover())
    images.keep(Rows(np.random.default_rng(0).integers(0, 256, (30, 8, 8))))
    assert images.drift()["rows"] == 30
