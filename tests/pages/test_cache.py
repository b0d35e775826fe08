"""Texts in the cache folder."""

from pathlib import Path

import pytest

from mlpkit.pages.cache import cache_folder, cached_text


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MLPKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pages"


def never():
    pytest.fail("it is made again")


def test_a_text_is_made_once():
    assert cached_text("a.js", lambda: "line 1\né") == "line 1\né"
    assert cached_text("a.js", never) == "line 1\né"


def test_texts_of_other_names_are_others():
    cached_text("a.js", lambda: "a")

    assert cached_text("b.js", lambda: "b") == "b"


@pytest.mark.parametrize("content", [b"", b"cut", b"\xff\xfe", b"0" * 64 + b"\nanother"])
def test_a_text_that_is_not_intact_is_made_again(cache, content):
    cached_text("a.js", lambda: "a")
    (cache / "a.js").write_bytes(content)

    assert cached_text("a.js", lambda: "a") == "a"
    assert cached_text("a.js", never) == "a"


def test_without_a_folder_to_write_to_each_text_is_made_each_time(cache):
    cache.parent.write_text("a file in the place of the folder")

    assert [cached_text("a.js", lambda: "a") for _ in range(2)] == ["a", "a"]


def test_nothing_but_the_text_stays_in_the_folder(cache):
    cached_text("a.js", lambda: "a")

    assert [file.name for file in cache.iterdir()] == ["a.js"]


def test_the_folder_is_the_operating_system_s_unless_another_is_chosen(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.setenv("MLPKIT_CACHE", "")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: f"/caches/{name}")
    assert cache_folder() == Path("/caches/mlpkit/pages")
