"""``mlpkit docs``: where the documentation is, and what opens it."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from urllib.request import url2pathname

import pytest
import yaml

import mlpkit
from mlpkit.verbs.ask.documentation import shipped_pages


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MLPKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def opened(monkeypatch):
    """Return the addresses that a browser was given."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not addresses.append(address))
    return addresses


def page_at(address: str) -> str:
    return Path(url2pathname(address.removeprefix("file://"))).read_text("utf-8")


def test_a_browser_gets_the_page_that_lists_all(invoke, opened, cache):
    done = invoke("docs")
    (address,) = opened
    assert (done.code, done.out, done.err) == (0, f"{address}\n", "")
    assert address == (cache / f"pages/docs-{mlpkit.__version__}/README.html").as_uri()
    assert 'href="first-hour.html"' in page_at(address)


@pytest.mark.parametrize(("name", "says"), [("training", "Early stopping"), ("layer", "class PRelu(Layer)")])
def test_a_page_is_opened_by_its_name(invoke, opened, name, says):
    assert invoke("docs", name).code == 0
    assert says in page_at(opened[0])


def test_print_opens_nothing(invoke, opened):
    done = invoke("docs", "keys", "--print")
    assert "training.batch_size" in page_at(done.out.strip())
    assert opened == []


def test_without_a_browser_the_address_is_there_all_the_same(invoke, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    done = invoke("docs")
    assert (done.code, done.err) == (0, "note: no browser was found; open this address in one\n")
    assert done.out.startswith("file://")


def test_a_page_that_is_not_there(invoke):
    done = invoke("docs", "trainning")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: no page is called 'trainning'; did you mean 'training'?\n"
    done = invoke("docs", "qqqqqq")
    names = done.err.removeprefix("error: no page is called 'qqqqqq'; pages: ").rstrip().split(", ")
    assert names == sorted({path.stem for path in shipped_pages()})


def test_a_cache_that_cannot_be_written(invoke, cache):
    cache.write_text("a file")
    done = invoke("docs", "--print")
    assert done.code == 1
    assert "can't be written" in done.err


def test_help_names_it(invoke):
    assert "mlpkit docs opens the documentation" in invoke("--help").out


def test_the_guide_for_agents_is_printed_as_a_skill(invoke, opened):
    done = invoke("docs", "--agent")
    assert (done.code, opened) == (0, [])
    _, about, text = done.out.split("---\n", 2)
    assert yaml.safe_load(about).keys() == {"name", "description"}
    assert "mlpkit check loans.mlpkit.yaml --json" in text
    assert "<!--" not in text
    assert 1000 < len(text.split()) < 1700
