"""``mlpkit schema``: print the JSON Schema of specs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.terminal.output import result

if TYPE_CHECKING:
    from mlpkit.registry.registry import Registry


@options.verb("schema")
@click.option("--problems", is_flag=True, help="The schema of what failing commands print with --json, instead.")
@options.registry_option
def command(registry: Registry, problems: bool) -> None:
    """Print the JSON Schema of specs, for editors.

    It knows every installed component. An editor with a YAML language server completes and checks a spec that starts
    with this comment:

    \b
    # yaml-language-server: $schema=FILE
    """
    from mlpkit.verbs.ask.schema import json_schema, problem_schema  # noqa: PLC0415 - loads YAML, which --help doesn't need

    schema = problem_schema() if problems else json_schema(registry)
    text = json.dumps(schema, indent=2, ensure_ascii=False)
    result(text if text.replace("\n", "").isprintable() else json.dumps(schema, indent=2))
