"""Settings of the documentation's site, for Sphinx.

Why Sphinx, with furo and MyST: the pages stay what they are, plain Markdown that GitHub shows too; a broken link or
anchor ends the build; pages work from disk and below any address; and all three are mature. Zensical, from the makers
of mkdocs-material, which is in maintenance, is an alpha. Sphinx's own search ranks a page by a single word of a
question, and shows no text from disk, so ``search.js`` ranks sections by all words.

The repository is the source, so a page's address is its path in the repository. The folder is named nowhere but in
``docs/build.py``; the order of the pages is that of ``docs/README.md``.
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from website.contents import HOME, INDEX, pages  # noqa: E402 - only now can it be found

METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
URLS = METADATA.get("urls", {})
"""The only place for addresses: ``Documentation`` is the site's; ``Source``, the repository's, gives edit links."""

project = METADATA["name"]
version = release = METADATA["version"]
html_title = project
html_baseurl = URLS.get("Documentation", "")

extensions = ["myst_parser", "website.extension"]
source_suffix = {".md": "markdown", ".ipynb": "notebook"}
include_patterns = [HOME, INDEX, *pages(ROOT)]
exclude_patterns = [".*", "build"]
root_doc = HOME.removesuffix(".md")
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_theme_options = {"source_repository": URLS["Source"], "source_branch": "main"} if "Source" in URLS else {}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "static/icon.svg"
templates_path = ["templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "version.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
