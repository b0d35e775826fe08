"""Writes the pages that come from code; git ignores them.

    python docs/generated_pages.py                writes them beside the other pages
    python docs/generated_pages.py --to FOLDER    writes elsewhere

The site and the wheel have these pages, so ``docs/build.py`` and ``setup.py`` run this before they build.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generators.catalogue import catalogue
from generators.checks_list import checks_list
from generators.deprecations import deprecations
from generators.keys_tables import keys_tables
from generators.operators_list import operators_list
from generators.placeholders import use_placeholders
from generators.reference import python_reference, reference

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS: Final = Path(__file__).resolve().parent


def catalogue_page() -> str:
    """Return the page of the built-in components."""
    return f"""# The built-in components

One line per component, with its parameters and their defaults; a parameter without a default is required.
`mlpkit show NAME` prints the rest: the formula, types and ranges of the parameters, the source, and an example. If
nothing here fits, [write your own](plugins.md).

{catalogue()}"""


def keys_page() -> str:
    """Return the page of the keys of a spec."""
    return f"""# What each key of a spec means

[The spec](spec.md) explains how to write one, and [Training](training.md) shows the keys below `training` by example.
[Editors](editors.md) complete and check keys as you type. `mlpkit explain my.yaml KEY` shows a key's value
in your spec, and where it was set.

The default `name` is the file's name, made fit for a folder: `modèle (1).yaml` gives `modele_1`.

{keys_tables()}"""


def deprecations_page() -> str:
    """Return the page of what is deprecated."""
    return f"""# Deprecations

What still works and will be removed; [What is stable](stable.md) says how long a deprecation lasts.

{deprecations()}"""


def python_page() -> str:
    """Return the page of the names that train networks."""
    return f"""# Reference of Python

The names that train networks in Python; [Python](python.md) shows them at work. Keywords of `fit` from `optimizer` on
are [the keys of `training`](keys.md#training).

{python_reference()}"""


def plugins_page() -> str:
    """Return the page of the names that plugins are written with."""
    return f"""# Reference for plugins

The names that plugins are written with; [Writing a plugin](plugins.md) explains them by example.
[Another page](python-reference.md) has the names for training and using networks. `help(mlpkit.Parameter)` has types
and details.

{reference()}
## Operators

The ONNX operators that [`onnx`](components/layer.md#what-is-exported) may use, as they are in opset 17.

{operators_list()}
## Conformance checks

What [`conformance` and `mlpkit check-plugin`](conformance.md) check, by kind.

{checks_list()}"""


PAGES: Final[dict[str, Callable[[], str]]] = {
    "catalogue.md": catalogue_page,
    "deprecations.md": deprecations_page,
    "keys.md": keys_page,
    "python-reference.md": python_page,
    "reference.md": plugins_page,
}


def main(arguments: list[str]) -> int:
    """Write all of them, and return the exit code."""
    match arguments:
        case []:
            folder = DOCS
        case ["--to", to]:
            folder = Path(to)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    use_placeholders()
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
