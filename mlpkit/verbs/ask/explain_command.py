"""``mlpkit explain``: what a key of a spec means, and where its value comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import click

import mlpkit
from mlpkit.cli import completion, options
from mlpkit.errors import Code
from mlpkit.terminal.formatting import columns, line_length, paragraph, plain, shortened
from mlpkit.terminal.output import document, result, styled

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.verbs.ask.explain import Explanation

LONGEST_VALUE = 30
CODES: Final[tuple[str, ...]] = get_args(Code)
PAGE: Final = Path(mlpkit.__file__).parent / "shipped_docs" / "problems.md"


@options.verb("explain")
@click.argument("path", metavar="SPEC", shell_complete=completion.specs)
@click.argument("key", metavar="[KEY]", required=False, shell_complete=completion.keys)
@options.overrides_option
@options.plugins_option
@options.json_option
def command(
    path: str, key: str | None, overrides: tuple[str, ...], plugin_options: PluginOptions, as_json: bool
) -> None:
    """Explain a key of a spec, and where its value comes from.

    Given the code of a problem, such as unknown-key, instead of SPEC, print its cause and cure.

    KEY is a dotted path, such as training.batch_size or layers.Affine1.units. Without it, all keys are listed with
    their values; with --json, one line per key.
    """
    if path in CODES and key is None and not Path(path).exists():
        text = explain_code(path)
        document({"code": path, "text": text}) if as_json else result("\n".join(paragraph(text, width=line_length())))
        return
    from mlpkit.verbs.ask.explain import explain, explain_all  # noqa: PLC0415 - loads YAML, which --help doesn't need

    spec = options.given_spec(path, overrides, **plugin_options)
    explanations = explain_all(spec) if key is None else [explain(spec, key)]
    if as_json:
        for explanation in explanations:
            document(asdict(explanation))
    elif key is None:
        _list(explanations, path)
    else:
        _print(*explanations)


def _list(explanations: Iterable[Explanation], path: str) -> None:
    """Print a line for each key: its value and its place, which is only a line number in the spec's own file."""
    rows = [("key", "value", "place")]
    for explanation in explanations:
        value = shortened(explanation.value_in_words, LONGEST_VALUE)
        line = explanation.place.removeprefix(f"{path}:").partition(":")[0]
        place = f"line {line}" if explanation.place.startswith(f"{path}:") else explanation.place
        rows.append((explanation.key, value, place or "default"))
    result("\n".join(columns(rows, width=line_length())))


def _print(explanation: Explanation) -> None:
    rows = [
        ("meaning", plain(explanation.meaning) or "not documented"),
        ("type", explanation.type),
        ("default", explanation.default_in_words),
        ("place", explanation.place or "not in the spec: this is the default"),
        *(("note", note) for note in explanation.notes),
    ]
    result(f"{styled(explanation.key, bold=True)}: {explanation.value_in_words}")
    result("\n".join(columns(rows, indent="  ", width=line_length())))


def explain_code(code: str) -> str:
    """Return cause and cure of the problems with a code, in one paragraph."""
    found = re.search(rf"^### {code}\n\n(.+?)\n*(?=^#|\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"\[(.+?)\]\(.+?\)", r"\1", found[1]).split())
