"""What axe-core says of a page."""

from importlib.util import find_spec
from pathlib import Path

from requirements import require


def violations(page):
    """Return what makes a page that is open hard to use, by rule and impact; skip the test without axe-core."""
    package = find_spec("axe_core_python")
    require("packages", package is not None, "the package axe-core-python is missing")
    page.evaluate((Path(package.origin).parent / "axe.min.js").read_text() + ";0")
    return page.evaluate("axe.run().then((result) => result.violations.map(({id, impact}) => [id, impact]))")
