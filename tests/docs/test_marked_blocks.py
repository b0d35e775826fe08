"""Every plugin, every spec and all Python in the pages works as it stands there."""

from __future__ import annotations

import doctest
import math
import re
import sys
from pathlib import Path

import pytest
from documentation_pages import BY_HAND, DOCS
from generators.kind_pages import page_of
from generators.marked_blocks import MarkedBlock, marked_blocks, write_files
from requirements import require_package

import mlpkit
from mlpkit.components.kinds import IN_SPECS, KINDS
from mlpkit.errors import SpecError
from mlpkit.jobs.check import check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.spec import read_spec
from mlpkit.testing.check_plugin import check_plugin

TEXTS = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in BY_HAND}
BLOCKS = {name: marked_blocks(text) for name, text in TEXTS.items()}


def pages_with(role: str) -> list[str]:
    return [name for name, blocks in BLOCKS.items() if any(block.role == role for block in blocks)]


def names_of(page: str, role: str) -> list[str]:
    return [block.name for block in BLOCKS[page] if block.role == role]


@pytest.fixture
def lay_out(tmp_path, monkeypatch):
    """Return a function that saves a page's files in the working folder, from where its plugins can be imported."""

    def files_of(page: str) -> list[str]:
        write_files(TEXTS[page], tmp_path)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        plugins = names_of(page, "plugin")
        for plugin in plugins:  # pages may call different plugins the same
            monkeypatch.delitem(sys.modules, Path(plugin).stem, raising=False)
        return plugins

    return files_of


NEED_A_SERVER = {"serving.md": 1}
"""The blocks of Python that ``test_serving_page.py`` runs."""

ON_THE_COMMAND_LINE = {f"components/{kind}.md" for kind in KINDS if kind not in IN_SPECS}
"""Pages of kinds whose components no spec names."""


@pytest.mark.parametrize("page", pages_with("spec"))
def test_every_spec_trains_and_every_plugin_is_used(page, lay_out, shortened, tmp_path):
    plugins = lay_out(page)
    used = set()
    for i, name in enumerate(names_of(page, "spec")):
        check(read_spec(name, plugins=plugins))
        spec = shortened(name, plugins)
        run = mlpkit.run(spec, tmp_path / f"run{i}")
        assert all(math.isfinite(figure) for split in run.metrics.values() for figure in split.values())
        used |= {plugin.source for plugin in spec.registry.used()}
    if page not in ON_THE_COMMAND_LINE:
        assert used >= set(plugins)


@pytest.mark.parametrize("page", [page for page in pages_with("plugin") if page != "conformance.md"])
def test_every_plugin_conforms(page, lay_out):
    for plugin in lay_out(page):
        for checked in check_plugin(f"./{plugin}"):
            assert checked.failed == (), f"{checked.name} in {page}"
            assert checked.left_out == 0
            assert checked.checks >= 15


@pytest.mark.parametrize("page", pages_with("wrong spec"))
def test_every_wrong_spec_is_wrong(page, lay_out):
    plugins = lay_out(page)
    for name in names_of(page, "wrong spec"):
        with pytest.raises(SpecError):
            check(read_spec(name, plugins=plugins))


@pytest.mark.parametrize("page", pages_with("python"))
def test_the_python_gives_what_the_page_says(page, lay_out):
    lay_out(page)
    names: dict[str, object] = {}
    for block in BLOCKS[page]:
        if block.role == "python":
            _run(block, page, names)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page_with_a_component_of_that_kind(kind, lay_out):
    page = page_of(kind)
    registry = Registry.discover(plugins=lay_out(page))
    provided = {entry.kind for entry in registry.components() if not entry.plugin.built_in}
    assert provided == {other for other in KINDS if page_of(other) == page}
    assert names_of(page, "spec") or kind not in IN_SPECS


@pytest.mark.parametrize("page", TEXTS)
def test_no_python_is_left_unmarked(page):
    by_hand = re.sub(r"<!-- generated: .*?<!-- end -->", "", TEXTS[page], flags=re.DOTALL)
    fences = re.findall(r"^```(?:python|pycon)$", by_hand, re.MULTILINE)
    steps_of_the_guide = re.findall(r"^<!-- file: .+ -->\n```python$", by_hand, re.MULTILINE)
    marked = sum(block.language in {"python", "pycon"} for block in BLOCKS[page])
    assert len(fences) == marked + len(steps_of_the_guide) + NEED_A_SERVER.get(page, 0)


def _run(block: MarkedBlock, page: str, names: dict[str, object]) -> None:
    for package in re.findall(r"^(?:>>> )?(?:import|from) ([\w.]+)", block.text, re.MULTILINE):
        require_package(package)
    if block.language == "python":
        exec(compile(block.text, page, "exec"), names)
        return
    session = doctest.DocTestParser().get_doctest(block.text, names, page, page, 0)
    told: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(session, out=told.append, clear_globs=False)
    assert outcome.attempted
    assert outcome.failed == 0, "".join(told)
    names.update(session.globs)
