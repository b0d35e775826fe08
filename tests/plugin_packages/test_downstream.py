"""Listed plugins are examined one by one, and the index shows them; broken ones are reported and spoil nothing."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mlpkit.verbs.author.new_plugin import new_plugin

TOOLS = Path(__file__).parents[2] / "tools"
BROKEN = {
    "ends the process": ("ends/ends_mlpkit/__init__.py", "^", "import os; os._exit(7)\n"),
    "has a wrong gradient": ("wrong/wrong_mlpkit/swish.py", r"self\.s \+", "self.s -"),
    "fails its own tests": ("failing/tests/test_swish.py", "$", "\n\ndef test_fails():\n    assert 1 == 2\n"),
    "can't be built": ("unbuilt/pyproject.toml", "name = .*?\n", "name = 3\n"),
}
"""What is wrong with a plugin of the list: the file of it, a text there, and what replaces that."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder with two sound plugins and the broken ones between them."""
    folder = tmp_path_factory.mktemp("packages")
    for name in ("a_sound", "ends", "wrong", "failing", "unbuilt", "z_sound"):
        new_plugin(name, "schedule" if name == "z_sound" else "layer", folder / name)
    for name, before, text in BROKEN.values():
        path = folder / name
        path.write_text(re.sub(before, text, path.read_text("utf-8"), flags=re.S), "utf-8")
    return folder


@pytest.fixture
def tool(monkeypatch, new_environment):
    """Return a function that imports a script of ``tools``; it makes environments without the network."""
    monkeypatch.syspath_prepend(TOOLS)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # which is how pip spells that there is to be none

    def environment(_):
        return new_environment().folder / "bin" / Path(sys.executable).name

    monkeypatch.setattr(importlib.import_module("plugin_report"), "new_environment", environment)
    return importlib.import_module


@pytest.fixture
def examine(tool, packages, tmp_path, capsys):
    """Return a function that examines the plugins of a pattern: the exit code, what it prints, and reports by name."""

    def run(pattern, *arguments):
        (packages / "listed.txt").write_text(f"# comment\n./{pattern}\n", "utf-8")
        command = ["mlpkit", "--list", str(packages / "listed.txt"), "--out", str(tmp_path), *arguments]
        code = tool("downstream").main(command)
        found = json.loads((tmp_path / "plugins.json").read_text("utf-8"))
        return code, capsys.readouterr().out, {Path(report["listed"]).name: report for report in found}

    return run


def test_a_plugin_that_ends_its_process_is_reported(examine):
    code, printed, found = examine("e*")
    assert (code, list(found)) == (1, ["ends"])
    assert printed.endswith("\n0 passed, 1 failed\n")
    assert "is broken: " in found["ends"]["problems"][0]


@pytest.mark.long
def test_broken_plugins_are_reported_and_the_others_pass(examine):
    code, printed, found = examine("*")
    assert code == 1
    assert printed.endswith("\n2 passed, 4 failed\n")
    assert list(found) == ["a_sound", "ends", "failing", "unbuilt", "wrong", "z_sound"]
    for name, kind, component in [("a_sound", "layer", "Swish"), ("z_sound", "schedule", "cosine")]:
        report = found[name]
        assert (report["package"], report["version"]) == (f"{name.replace('_', '-')}-mlpkit", "0.1.0")
        assert report["components"] == {kind: [f"{name}.{component}"]}
        assert (report["problems"], report["failed"]) == ([], 0)
        assert re.search(r"\d+ passed", report["suite"])
        assert report["source"] == f"https://github.com/OWNER/{report['package']}"
    assert found["a_sound"]["checks"] > 40
    assert "is broken: " in found["ends"]["problems"][0]
    assert "wrong.Swish fails input_gradient_is_the_derivative" in found["wrong"]["problems"]
    assert found["wrong"]["failed"] > 0
    assert [problem.partition(":")[0] for problem in found["failing"]["problems"]] == ["its tests fail"]
    assert found["failing"]["failed"] == 0
    assert [problem.partition(":")[0] for problem in found["unbuilt"]["problems"]] == ["can't be installed"]


def test_what_fails_with_the_version_before_too_is_no_reason_to_wait(examine, tool, tmp_path):
    code, printed, found = examine("[uz]*", "--before", "mlpkit")
    assert code == 0
    assert "unbuilt : failed, as with mlpkit; 0 checks" in printed
    assert printed.endswith("\n2 passed, 0 failed\n")
    assert {name: report["known"] for name, report in found.items()} == {"unbuilt": "mlpkit", "z_sound": ""}
    page = tmp_path / "site"
    tool("plugin_index").write_index(page, [tool("plugin_report").Report(**report) for report in found.values()])
    broken, sound = (page / "index.html").read_text("utf-8").split("<tr>")[2:]
    assert "can&#x27;t be installed" in broken
    assert "the same with mlpkit" in broken
    assert "z-sound-mlpkit 0.1.0" in sound
    assert sorted(path.name for path in page.iterdir()) == ["index.html", "z-sound-mlpkit.svg"]


def test_a_plugin_that_hangs_is_ended(tool, packages, tmp_path):
    report = tool("plugin_report").Report("hangs")
    sleep = [
        sys.executable,
        "-c",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(300)'])",
    ]
    assert tool("plugin_report")._done(report, "its tests fail", sleep, tmp_path, 1) is None
    assert report.problems == ["its tests fail: ended after 1 s"]


def test_the_list_has_packages_and_folders(tool, packages, tmp_path):
    path = packages / "some.txt"
    path.write_text("# a comment\nacme-mlpkit  # another\n\n./[az]_sound\n./missing\n", "utf-8")
    listed = tool("downstream").listed(path)
    assert list(listed) == ["acme-mlpkit", str(packages / "a_sound"), str(packages / "z_sound")]


@pytest.mark.parametrize(
    ("documents", "text"),
    [
        ([{"checks": 52, "failed": []}, {"checks": 40, "failed": []}], "92 passed"),
        ([{"checks": 52, "failed": [{}]}, {"checks": 40, "failed": []}], "1 of 92 failed"),
        ([], "broken"),
    ],
)
def test_a_badge_tells_the_checks(documents, text):
    lines = "".join(json.dumps(each) + "\n" for each in documents) or '{"ok": false, "problems": []}\n'
    command = [sys.executable, TOOLS / "plugin_badge.py"]
    image = ElementTree.fromstring(
        subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    )
    assert image.get("aria-label") == f"mlpkit checks: {text}"
    assert [each.text for each in image.iter("{http://www.w3.org/2000/svg}text")] == ["mlpkit checks", text]


def test_a_page_shows_text_and_no_markup_of_strangers(tool, tmp_path):
    index, report = tool("plugin_index"), tool("plugin_report").Report
    hostile = report("x", package="../x", summary="<script>", source="javascript:alert(1)", problems=["a < b"])
    sound = report("y", "acme-mlpkit", "1.2", "Swish & more", "https://a.example", {"layer": ["acme.Swish"]}, 52)
    sound.documents = [{"checks": 52, "failed": []}]
    index.write_index(tmp_path, [sound, hostile])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme-mlpkit.svg", "index.html"]
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "<script>" not in page
    assert "javascript" not in page
    assert "a &lt; b" in page
    assert '<a href="https://a.example">acme-mlpkit 1.2</a><br>Swish &amp; more' in page
    assert '<img src="acme-mlpkit.svg" alt="52 passed">' in page


def test_the_index_lists_what_is_installed(new_environment, packages, tmp_path):
    environment = new_environment()
    environment("pip install --quiet ./z_sound ./wrong", cwd=packages)
    environment(f"python {TOOLS / 'plugin_index.py'} site", cwd=tmp_path)
    rows = (tmp_path / "site/index.html").read_text("utf-8").split("<tr>")[2:]
    assert [re.search(r">([\w-]+ 0\.1\.0)<", row)[1] for row in rows] == ["wrong-mlpkit 0.1.0", "z-sound-mlpkit 0.1.0"]
    assert "wrong.Swish fails input_gradient_is_the_derivative" in rows[0]
    assert "<td>none" in rows[1]
    assert "mlpkit checks: 1 of" in (tmp_path / "site/wrong-mlpkit.svg").read_text("utf-8")
