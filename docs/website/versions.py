"""The versions of the site: each is a folder of its name, beside the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from pathlib import Path

REDIRECT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>mlpkit</title>
<meta http-equiv="refresh" content="0; url={newest}/index.html">
<a href="{newest}/index.html">The documentation of mlpkit {newest}</a>
"""
LIST = "llms.txt"
"""The pages of a version, for language models, which look for it at the root of a site."""


def list_versions(folder: Path) -> None:
    """Write the list that each version's pages choose from, and a first page that leads to the newest."""
    versions = sorted((path.name for path in folder.iterdir() if _is_version(path)), key=Version, reverse=True)
    (folder / "versions.js").write_text(f"const VERSIONS = {json.dumps(versions)};\n", encoding="utf-8")
    released = [name for name in versions if not Version(name).is_prerelease]
    newest = (released or versions)[0]
    (folder / "index.html").write_text(REDIRECT.format(newest=newest), encoding="utf-8")
    if (folder / newest / LIST).is_file():  # versions before it have none
        listed = (folder / newest / LIST).read_text("utf-8")
        (folder / LIST).write_text(listed.replace("](", f"]({newest}/"), encoding="utf-8")


def _is_version(path: Path) -> bool:
    try:
        Version(path.name)
    except InvalidVersion:
        return False
    return (path / "index.html").is_file()
