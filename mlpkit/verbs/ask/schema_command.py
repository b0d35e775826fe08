"""``mlpkit schema``: print the JSON Schema of specs."""

from __future__ import annotations

import json

from mlpkit.cli import options
from mlpkit.terminal.output import result


@options.verb("schema")
@options.takes_plugins
def command(plugins: tuple[str, ...], blocked: tuple[str, ...]) -> None:
    """Print the JSON Schema of specs, for editors.

    It knows every component that is installed. An editor with a YAML language server completes and checks a spec that
    begins with this comment:

    \b
    # yaml-language-server: $schema=FILE
    """
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason
    from mlpkit.verbs.ask.schema import json_schema  # noqa: PLC0415 - loads the plugins, which --help does without

    schema = json_schema(Registry.discover(plugins=plugins, blocked=blocked))
    text = json.dumps(schema, indent=2, ensure_ascii=False)
    result(text if text.replace("\n", "").isprintable() else json.dumps(schema, indent=2))
