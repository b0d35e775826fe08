"""Which verbs there are; the one that was asked for is loaded, and no other."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from mlpkit.cli.exit_codes import exit_codes, warnings_as_messages
from mlpkit.cli.launcher import once, started_processes
from mlpkit.cli.options import HelpfulCommand, colour_option, is_given
from mlpkit.deprecation import Deprecation
from mlpkit.errors import MlpkitError
from mlpkit.lazy_names import load
from mlpkit.terminal.output import choose_colours, diagnostic, result
from mlpkit.version import VERSION


class Verb(NamedTuple):
    """A verb: the module in ``mlpkit.verbs`` that has its command, and what it does, in one line."""

    module: str
    summary: str
    deprecated: Deprecation | None = None


VERBS: Final = {
    "run": Verb("run.run_command", "Train the network of a spec, or of several."),
    "resume": Verb("run.resume_command", "Resume an interrupted run, or train a finished one for longer."),
    "live": Verb("live.command", "Show runs live on a web page."),
    "play": Verb("play.command", "Watch a network learn on a web page, and change it."),
    "check": Verb("run.check_command", "Check specs, and show the shapes of their layers."),
    "data": Verb("data.command", "Describe a spec's data, or compare new rows with it."),
    "explain": Verb("ask.explain_command", "Explain a key of a spec, and where its value comes from."),
    "show": Verb("ask.show_command", "Describe a component: its mathematics, parameters and source."),
    "plugins": Verb("ask.plugins_command", "List the plugins, and what each provides."),
    "schema": Verb("ask.schema_command", "Print the JSON Schema of specs, for editors."),
    "lsp": Verb("lsp.command", "Help editors to write specs, as a language server."),
    "docs": Verb("ask.docs_command", "Open the documentation in a browser."),
    "init": Verb("init.command", "Write a first spec for your data, or copy a shipped one."),
    "sweep": Verb("sweep.command", "Train a spec with many values of some keys, and find the best."),
    "tune-rate": Verb("tune_rate.command", "Suggest a learning rate."),
    "distill": Verb("distill.command", "Train a small network to predict as a large one does."),
    "evaluate": Verb("run.evaluate_command", "Compute a trained network's loss and metrics."),
    "predict": Verb("run.predict_command", "Predict with a trained network."),
    "serve": Verb("serve.command", "Answer over HTTP with trained models."),
    "export": Verb("export.command", "Write a trained model to a file that other programs use."),
    "provenance": Verb("export.provenance_command", "Show which run an exported file came from."),
    "runs": Verb("runs.runs_command", "List runs."),
    "compare": Verb("runs.compare_command", "Compare runs, and test whether they differ by more than chance."),
    "report": Verb("report.command", "Write a report on a run: results, curves, mistakes, layers."),
    "card": Verb("card.command", "Write a model card: what it predicts, how well, and its limits."),
    "doctor": Verb("doctor.command", "Diagnose a training, and suggest what to try."),
    "trace": Verb("trace.command", "Inspect a past step of a run."),
    "repro": Verb("repro.command", "Reproduce a run, and compare the results."),
    "new-plugin": Verb("author.new_plugin_command", "Create a package for a component of your own."),
    "check-plugin": Verb("author.check_plugin_command", "Test a plugin's components against what their kinds promise."),
    "new-homework": Verb("homework.new_homework_command", "Write an exercise to hand out."),
    "grade": Verb("homework.grade_command", "Mark homework, with the reason for each missing point."),
}

FORMER_NAMES: Final = {"whence": "provenance"}
"""They still work, and are in no list."""

WHAT_COMPUTES: Final = "mlpkit.verbs.ask.plugins:what_computes"
"""Answers ``--version --verbose``; it loads NumPy."""

OF_PLUGIN: Final = re.compile(r"[a-z][a-z0-9_]*\.(?!ya?ml$)[a-z][a-z0-9_]*")
"""The name of a plugin's verb, such as ``acme.prune``."""

SHARING: Final = {"mpi", "on"}
"""Options of verbs that several processes can share, as ``cli/ranks.py`` has it."""

AS_JSON: Final = "mlpkit.json"
"""Where a context keeps whether JSON is wanted."""


class Verbs(HelpfulCommand, click.Group):
    """All verbs; a verb's module is imported when the verb is invoked."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of a first acquaintance."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a verb, or return None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"mlpkit.verbs.{VERBS[cmd_name].module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.summary) for name, verb in VERBS.items() if not verb.deprecated])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb among the arguments; a misspelt one is answered with the nearest."""
        name = FORMER_NAMES.get(args[0], args[0])
        args = [name, *args[1:]]
        if OF_PLUGIN.fullmatch(name):
            from mlpkit.cli.plugin_verbs import plugin_verb  # noqa: PLC0415 - loads a plugin

            try:
                verb = plugin_verb(name, args[1:])
            except MlpkitError:
                if ctx.resilient_parsing:  # a shell asks
                    return None, None, []
                raise
            _require_shareable(verb)
            return name, verb, args[1:]
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            from mlpkit.components.schema import context, wording  # noqa: PLC0415 - only after a mistake
            from mlpkit.registry.discovery import installed_plugins  # noqa: PLC0415 - only after a mistake

            namespace = name.partition(".")[0]
            if any(plugin.namespace == namespace for plugin in installed_plugins()):
                remedy = f"mlpkit plugins lists the verbs of the plugin {namespace}"
            else:
                remedy = wording.did_you_mean(name, VERBS) or f"expected one of {', '.join(VERBS)}"
            ctx.fail(f"unknown command {context.show(name)}; {remedy}")
        found = super().resolve_command(ctx, args)
        if name in VERBS and (deprecation := VERBS[name].deprecated) and not ctx.resilient_parsing:
            diagnostic(f"warning: {deprecation.message(f'mlpkit {name}')}", "yellow")
        if found[1] is not None and not ctx.resilient_parsing:
            _require_shareable(found[1])
        return found

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **options: Any) -> click.Context:
        """Read the options before the verb; whatever goes wrong ends as it does in a verb."""
        choose_colours(colour_option(args))
        as_json = is_given("--json", args)
        with exit_codes(as_json=as_json):
            context = super().make_context(info_name, args, *more, **options)
        context.meta[AS_JSON] = as_json
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; whatever goes wrong ends as a message and an exit code."""
        with exit_codes(as_json=ctx.meta.get(AS_JSON, False)), warnings_as_messages():
            return super().invoke(ctx)


def _require_shareable(verb: click.Command) -> None:
    """Raise ``UsageError`` if processes that were started together would each do all of a verb's work again."""
    started = started_processes(os.environ)
    if started > 1 and not any(option.name in SHARING for option in verb.params):
        raise once(
            f"{started} processes were started together, and each would repeat the work of mlpkit {verb.name}; start "
            "it without mpiexec, or with a single process: only run, resume and sweep share their work"
        )


def _print_version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Print the version and, with --verbose, what computes; end the program."""
    if not asked or ctx.resilient_parsing:
        return
    result(f"mlpkit {VERSION}")
    if ctx.params["verbose"]:
        for what, found in load(WHAT_COMPUTES)().items():
            result(f"{what}: {found}")
    ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["--help", "-h"]})
@click.option("--version", is_flag=True, expose_value=False, callback=_print_version, help="Show the version and exit.")
@click.option(
    "--verbose",
    is_flag=True,
    is_eager=True,  # read before --version, wherever it stands
    help="With --version: also show what computes, why, and on which machine.",
)
def program(verbose: bool) -> None:
    """Train multilayer networks from a declarative spec, every layer a plugin.

    New here? mlpkit docs opens the documentation, mlpkit init lists specs to begin with.

    Results go to standard output, messages to standard error. Exit codes: 0 done; 1 the work failed; 2 wrong usage
    or wrong spec; 129, 130 and 143 after SIGHUP, SIGINT and SIGTERM.
    """
    if verbose:
        raise click.UsageError("--verbose goes with --version")
