"""``mlpkit migrate``."""

from __future__ import annotations

import pytest

OLD = """\
# a first try
mlpkit: 1
network: [{Affine: {units: 10}}, SoftmaxWithLoss]   # one layer
training:
  optimizer: sgd
  steps: 4
"""
NEW = OLD.replace("mlpkit: 1", "mlpkit: 2").replace("network", "layers").replace("steps", "iterations")

DIFF = """\
--- old.yaml
+++ old.yaml
@@ -1,6 +1,6 @@
 # a first try
-mlpkit: 1
-network: [{Affine: {units: 10}}, SoftmaxWithLoss]   # one layer
+mlpkit: 2
+layers: [{Affine: {units: 10}}, SoftmaxWithLoss]   # one layer
 training:
   optimizer: sgd
-  steps: 4
+  iterations: 4
"""


@pytest.fixture
def old(cwd):
    path = cwd / "old.yaml"
    path.write_text(OLD)
    return path


def test_today_all_specs_are_up_to_date(cwd, invoke):
    before = (cwd / "tiny.yaml").read_bytes()
    for options in ([], ["--check"], ["--write"]):
        done = invoke("migrate", "tiny.yaml", *options)
        assert (done.code, done.out, done.err) == (0, "tiny.yaml: up to date, in format 1\n", "")
    assert (cwd / "tiny.yaml").read_bytes() == before


def test_what_would_change_is_shown_and_nothing_is_written(old, invoke, older_format):
    done = invoke("migrate", "old.yaml")
    assert (done.code, done.out, done.err) == (0, DIFF, "")
    assert old.read_text() == OLD


def test_a_check_fails_if_a_spec_is_in_an_older_format(old, invoke, older_format):
    done = invoke("migrate", "old.yaml", "--check")
    assert (done.code, done.out, done.err) == (1, "old.yaml: in format 1; the newest is 2\n", "")
    assert old.read_text() == OLD
    old.write_text(NEW)
    assert invoke("migrate", "old.yaml", "--check").code == 0


def test_specs_are_written_in_the_newest_format(old, cwd, invoke, older_format):
    (cwd / "new.yaml").write_text(NEW)
    done = invoke("migrate", "old.yaml", "new.yaml", "--write")
    written = "old.yaml: written in format 2, was in format 1\nnew.yaml: up to date, in format 2\n"
    assert (done.code, done.out, done.err) == (0, written, "")
    assert old.read_text() == NEW
    assert invoke("migrate", "old.yaml").out == "old.yaml: up to date, in format 2\n"


def test_line_ends_the_byte_order_mark_permissions_and_links_stay(old, cwd, invoke, older_format):
    old.write_bytes(b"\xef\xbb\xbf" + OLD.replace("\n", "\r\n").encode())
    old.chmod(0o640)
    (cwd / "link.yaml").symlink_to("old.yaml")
    assert invoke("migrate", "link.yaml", "--write").code == 0
    assert old.read_bytes() == b"\xef\xbb\xbf" + NEW.replace("\n", "\r\n").encode()
    assert old.stat().st_mode & 0o777 == 0o640
    assert (cwd / "link.yaml").is_symlink()


def test_an_older_spec_trains_and_its_run_is_resumed_and_evaluated(old, cwd, invoke, monkeypatch, older_format):
    tiny = (cwd / "tiny.yaml").read_text()
    (cwd / "tiny.yaml").write_text(tiny.replace("layers:", "network:").replace("iterations:", "steps:"))
    assert invoke("run", "tiny.yaml", "--out", "first", "--quiet").code == 0
    assert (cwd / "first/spec.yaml").read_text() == (cwd / "tiny.yaml").read_text()
    assert "mlpkit: 2" in (cwd / "first/resolved.yaml").read_text()
    monkeypatch.undo()
    monkeypatch.chdir(cwd)
    (cwd / "tiny.yaml").write_text(tiny)
    assert invoke("run", "tiny.yaml", "--out", "second", "--quiet").code == 0
    for name in ("history.jsonl", "metrics.json"):
        assert (cwd / "first" / name).read_bytes() == (cwd / "second" / name).read_bytes()


def test_run_folders_of_an_older_format_are_read(cwd, invoke, monkeypatch):
    assert invoke("run", "tiny.yaml", "--out", "run", "--quiet").code == 0
    first = invoke("evaluate", "run").out
    monkeypatch.setattr("mlpkit.specfile.migrations.MIGRATIONS", [str])
    assert invoke("evaluate", "run").out == first
    assert invoke("resume", "run").code == 0


def test_what_can_t_be_migrated_is_told_and_all_others_are(old, cwd, invoke, older_format):
    (cwd / "none.yaml").write_text("data: mnist\n")
    (cwd / "newer.yaml").write_text("mlpkit: 3\n")
    (cwd / "text.yaml").write_text("mlpkit: '1'\n")
    (cwd / "wrong.yaml").write_text("mlpkit: 1\n  a: b\n")
    names = ("none.yaml", "newer.yaml", "text.yaml", "wrong.yaml", "missing.yaml", "old.yaml")
    done = invoke("migrate", *names, "--write")
    assert done.code == 2
    assert done.out == "old.yaml: written in format 2, was in format 1\n"
    assert "none.yaml:1:1: the spec has no key 'mlpkit', which says the number of its format\n" in done.err
    assert "help: write mlpkit: 1 at its top, or the number of the format that it is in\n" in done.err
    assert "newer.yaml:1:9: format 3 is newer than this version of mlpkit, 0.1.0, can read\n" in done.err
    assert "expected: a number from 1 to 2\n  help: upgrade mlpkit\n" in done.err
    assert "text.yaml:1:9: '1' is not the number of a format\n" in done.err
    assert "wrong.yaml:2" in done.err
    assert "missing.yaml:1:1: there is no file 'missing.yaml'\n" in done.err
    assert (cwd / "none.yaml").read_text() == "data: mnist\n"


def test_the_files_of_a_run_stay(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--out", "run", "--quiet").code == 0
    for name in ("spec.yaml", "resolved.yaml"):
        done = invoke("migrate", f"run/{name}")
        assert (done.code, done.out) == (2, "")
        assert f"run/{name}:1:1: this file belongs to a run, which stays as it was" in done.err


def test_a_folder_that_can_t_be_written_is_told(old, invoke, older_format, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    done = invoke("migrate", "old.yaml", "--write")
    assert done.code == 1
    assert "old.yaml: can't be written: No space left on device; free space on this disk" in done.err
    assert old.read_text() == OLD


def test_check_and_write_exclude_each_other(invoke):
    done = invoke("migrate", "tiny.yaml", "--check", "--write")
    assert done.code == 2
    assert "--check writes nothing; give it or --write, not both" in done.err
