"""The site is built strictly, of pages whose links lead somewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from documentation_pages import BY_HAND, FROM_CODE
from html_links import Links, crawl, is_elsewhere
from requirements import require_package

import mlpkit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def crawled(site):
    """Return the pages that can be reached from the first, and the links that lead nowhere."""
    return crawl(site / "index.html")


def test_every_link_and_anchor_leads_somewhere(crawled):
    assert crawled[1] == []


def test_every_page_can_be_reached(crawled, site):
    built = {path.resolve() for path in site.rglob("*.html") if "_static" not in path.parts}
    assert built - crawled[0].keys() == set()
    sources = [*BY_HAND, *FROM_CODE, ROOT / "docs/notebook.ipynb", ROOT / "README.md"]
    pages = {(site / path.relative_to(ROOT)).with_suffix(".html").resolve() for path in sources}
    assert pages <= built


def test_each_chapter_opens_in_the_playground(site):
    for chapter in (ROOT / "docs/course").glob("*.md"):
        page = site / "docs/course" / f"{chapter.stem}.html"
        (link,) = [link for link in Links(page).targets if "?spec=" in link]
        playground, _, spec = link.partition("?spec=")
        assert (page.parent / playground).resolve() == (site / "docs/playground/index.html").resolve()
        assert (site / "docs/playground" / spec).read_text("utf-8") in chapter.read_text("utf-8")


def test_nothing_is_loaded_from_elsewhere(crawled):
    assert [link for page in crawled[0].values() for link in page.loaded if is_elsewhere(link)] == []


def test_the_first_address_leads_to_the_newest_version(versions):
    assert f"url={mlpkit.__version__}/index.html" in (versions / "index.html").read_text("utf-8")


def test_a_list_for_models_has_every_page_with_a_line(versions, site):
    links = re.findall(r"^- \[.+\]\((.+?)\)", (site / "llms.txt").read_text("utf-8"), re.M)
    assert all((site / link).is_file() for link in links)
    assert {"docs/spec.html", "docs/components/layer.html", "mlpkit/verbs/ask/agent.html"} <= set(links)
    at_the_root = re.findall(r"^- \[.+\]\((.+?)\)", (versions / "llms.txt").read_text("utf-8"), re.M)
    assert at_the_root == [f"{mlpkit.__version__}/{link}" for link in links]


def test_the_schema_is_that_of_the_built_in_components(site):
    schema = json.loads((site / "schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    spec = yaml.safe_load((ROOT / "specs/mnist_fast.yaml").read_text("utf-8"))
    validator.validate(spec)
    spec["layers"][0] = {"Affine": {"unit": 50}}
    assert not validator.is_valid(spec)


@pytest.fixture
def small(tmp_path):
    """Return a function that builds a site of two pages, one with a text of its own."""
    require_package("furo")

    def build(text, urls=""):
        for folder in ("docs/website", "docs/browser", "docs/generators"):
            shutil.copytree(ROOT / folder, tmp_path / folder)
        for script in ("docs/build.py", "docs/generated_pages.py"):
            shutil.copy(ROOT / script, tmp_path / "docs")
        metadata = (ROOT / "pyproject.toml").read_text("utf-8").partition("[project.urls]")[0]
        (tmp_path / "pyproject.toml").write_text(f"{metadata}\n{urls}", encoding="utf-8")
        (tmp_path / "docs/README.md").write_text("# All\n\n## Part\n\n- [Page](page.md)\n", encoding="utf-8")
        (tmp_path / "docs/page.md").write_text("# Page\n\n## Here\n", encoding="utf-8")
        (tmp_path / "README.md").write_text(f"# First\n\n{text}\n", encoding="utf-8")
        command = [sys.executable, str(tmp_path / "docs/build.py")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return build


@pytest.mark.long
def test_a_small_site_is_built(small, tmp_path):
    done = small("[there](docs/page.md#here)")
    assert (done.returncode, done.stderr) == (0, "")
    assert "page.html#here" in (tmp_path / "build/site" / mlpkit.__version__ / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    "link", ["docs/page.md#her", *(pytest.param(link, marks=pytest.mark.long) for link in ("docs/pages.md", "#here"))]
)
def test_a_broken_link_fails_the_build(small, link, tmp_path):
    done = small(f"[there]({link})")
    assert done.returncode != 0
    assert "README.md:3" in done.stderr
    assert not (tmp_path / "build/site/index.html").exists()


@pytest.mark.long
def test_pages_have_edit_links_once_the_metadata_names_the_repository(small, tmp_path):
    assert small("Text", '[project.urls]\nSource = "https://github.com/owner/repository"').returncode == 0
    page = tmp_path / "build/site" / mlpkit.__version__ / "docs/page.html"
    assert "https://github.com/owner/repository/edit/main/docs/page.md" in Links(page).targets


def test_without_such_an_address_there_are_none(crawled):
    assert [link for page in crawled[0].values() for link in page.targets if "/edit/" in link] == []
