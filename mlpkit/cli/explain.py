"""``mlpkit explain``: what a key of a spec means, and where its value comes from."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.cli.exit_codes import suggesting_shipped_spec
from mlpkit.cli.formatting import columns, line_length
from mlpkit.cli.output import document, result, styled

if TYPE_CHECKING:
    from mlpkit.jobs.explain import Explanation


@options.verb("explain")
@click.argument("path", metavar="SPEC")
@click.argument("key", metavar="KEY")
@options.takes_overrides
@options.takes_plugins
@options.takes_json
def command(
    path: str,
    key: str,
    overrides: tuple[str, ...],
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what a key of a spec means, and where its value comes from.

    KEY is the names that lead to it with dots between them, such as training.batch_size or layers.Affine1.units.
    """
    from mlpkit.jobs.explain import explain  # noqa: PLC0415 - loads YAML, which --help does without
    from mlpkit.specfile.spec import read_spec  # noqa: PLC0415 - for the same reason

    with suggesting_shipped_spec(path):
        spec = read_spec(path, overrides=overrides, plugins=plugins, blocked=blocked)
    explanation = explain(spec, key)
    if as_json:
        document(asdict(explanation))
    else:
        _print(explanation)


def _print(explanation: Explanation) -> None:
    from mlpkit.specfile.yaml_writer import to_inline_yaml  # noqa: PLC0415 - loads YAML, which --help does without

    rows = [
        ("meaning", explanation.meaning or "not documented"),
        ("type", explanation.type),
        ("default", "required" if explanation.required else to_inline_yaml(explanation.default)),
        ("place", explanation.place or "not in the spec: this is the default"),
        *(("note", note) for note in explanation.notes),
    ]
    result(f"{styled(explanation.key, bold=True)}: {to_inline_yaml(explanation.value)}")
    result("\n".join(columns(rows, indent="  ", width=line_length())))
