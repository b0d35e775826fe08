"""Distributions with plugins that are broken, or mean harm, as they would lie in ``site-packages``."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LEAVES_A_MARK = 'open(__file__ + ".imported", "a").close()\n'

LAYER = """
from mlpkit import Layer, Loss, component, hookimpl
class Same(Layer):
    def forward(self, x):
        return x
    def backward(self, dy):
        return dy
"""


def hook(body: str, before: str = "", signature: str = "mlpkit_components()") -> str:
    """Return the code of a plugin whose hook does something."""
    return f"{LAYER}{dedent(before)}\n@hookimpl\ndef {signature}:\n    {body}\n"


@dataclass(frozen=True)
class HostilePlugin:
    """A distribution with one plugin.

    Args:
        name: the distribution's name, and unless ``entries`` says otherwise the namespace.
        does: what is wrong with it, for the table in the documentation.
        status: what becomes of it.
        why: what ``mlpkit plugins`` says.
        code: its module.
        entries: the lines of the group ``mlpkit`` in ``entry_points.txt``.
        requires: what its metadata says it requires.
        version: its version.
    """

    name: str
    does: str
    status: str
    why: str
    code: str = hook("return []")
    entries: bytes | None = None
    requires: str = "mlpkit>=0.1"
    version: str = "1.0"

    def install(self, folder: Path) -> None:
        """Write the module and the metadata."""
        module = f"hostile_{self.name}"
        code = f"{LEAVES_A_MARK}{dedent(self.code)}"
        (folder / f"{module}.py").write_text(code, encoding="utf-8")
        info = folder / f"{self.name}-{self.version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}"]
        (info / "METADATA").write_text("\n".join([*lines, f"Requires-Dist: {self.requires}", ""]))
        entries = f"{self.name} = {module}".encode() if self.entries is None else self.entries
        (info / "entry_points.txt").write_bytes(b"[mlpkit]\n" + entries + b"\n")


HOSTILE = [
    HostilePlugin(
        "needs_library",
        "imports a library that is not installed",
        "broken",
        "ModuleNotFoundError: No module named 'no_such_library' (hostile_needs_library.py, line 2)",
        "import no_such_library",
    ),
    HostilePlugin(
        "moduleless",
        "an entry point that names a module which is not there",
        "broken",
        "ModuleNotFoundError: No module named 'no_such_module'",
        entries=b"moduleless = no_such_module",
    ),
    HostilePlugin(
        "attributeless",
        "an entry point that names an object which is not there",
        "broken",
        "AttributeError: module 'hostile_attributeless' has no attribute 'plugin'",
        "x = 1",
        entries=b"attributeless = hostile_attributeless:plugin",
    ),
    HostilePlugin(
        "misspelt", "a syntax error", "broken", "SyntaxError: invalid syntax (hostile_misspelt.py, line 2)", "def f(:"
    ),
    HostilePlugin(
        "exits",
        "`sys.exit` in the module",
        "broken",
        "SystemExit: 3 (hostile_exits.py, line 2)",
        "import sys; sys.exit(3)",
    ),
    HostilePlugin(
        "exits_at_once",
        "`os._exit` in the module, which nothing can catch",
        "broken",
        "it ended the process that loaded it, with exit code 0",
        "import os; os._exit(0)",
    ),
    HostilePlugin(
        "crashes",
        "crashes as a library in C does",
        "broken",
        "it ended the process that loaded it, by SIGSEGV",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    ),
    HostilePlugin(
        "interrupts",
        "raises `KeyboardInterrupt`",
        "broken",
        "KeyboardInterrupt (hostile_interrupts.py, line 2)",
        "raise KeyboardInterrupt",
    ),
    HostilePlugin(
        "speechless",
        "raises an exception that is not an `Exception`, and whose message can't be read",
        "broken",
        "Speechless: its message can't be read: RuntimeError (hostile_speechless.py, line 6)",
        """\
        class Speechless(BaseException):
            def __str__(self):
                raise RuntimeError("no words")

        raise Speechless
        """,
    ),
    HostilePlugin(
        "shouts",
        "an error with control characters",
        "broken",
        r"ValueError: \x1b[31mred \x07 bell (hostile_shouts.py, line 2)",
        r"raise ValueError('\x1b[31mred \x07\n bell')",
    ),
    HostilePlugin(
        "recurses",
        "recursion without end",
        "broken",
        "RecursionError: maximum recursion depth exceeded (hostile_recurses.py, line 3)",
        """\
        def f():
            return f()
        f()
        """,
    ),
    HostilePlugin(
        "warns",
        "turns warnings into errors, and warns",
        "broken",
        "DeprecationWarning: old (hostile_warns.py, line 4)",
        """\
        import warnings
        warnings.simplefilter("error")
        warnings.warn("old", DeprecationWarning)
        """,
    ),
    HostilePlugin(
        "alters_the_process",
        "alters random numbers, floating-point errors, environment, folder, signals and logging, then fails",
        "broken",
        "RuntimeError: done (hostile_alters_the_process.py, line 17)",
        """\
        import builtins, logging, os, signal, sys
        import numpy as np
        np.random.seed(1)
        np.random.default_rng = None
        np.seterr(all="raise")
        np.set_printoptions(precision=1)
        np.maximum = np.minimum
        os.environ["OMP_NUM_THREADS"] = "7"
        os.environ.pop("PATH")
        os.chdir("/")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        logging.disable(logging.CRITICAL)
        sys.path.clear()
        builtins.print = None
        raise RuntimeError("done")
        """,
    ),
    HostilePlugin(
        "alters_mlpkit",
        "puts its own code into mlpkit's classes and the built-ins, then fails",
        "broken",
        "RuntimeError: done (hostile_alters_mlpkit.py, line 7)",
        """\
        import mlpkit, mlpkit_plugins
        from mlpkit.registry.plugin import Plugin
        mlpkit.Layer.forward = lambda self, x: x * 0
        mlpkit_plugins.mlpkit_components = lambda: []
        Plugin.load = lambda self: None
        raise RuntimeError("done")
        """,
    ),
    HostilePlugin(
        "muzzles",
        "alters what the process that loads it would report with",
        "broken",
        "it altered the process that loaded it, which then sent nothing more",
        """\
        import json
        json.dumps = lambda *args, **kwargs: "all is well"
        """,
    ),
    HostilePlugin(
        "prints",
        "prints a great deal where results go, then fails",
        "broken",
        "ImportError: enough (hostile_prints.py, line 6)",
        """\
        import os, sys
        print("{}" * 100_000)
        sys.__stdout__.write("[]")
        os.write(1, b"[]")
        raise ImportError("enough")
        """,
    ),
    HostilePlugin(
        "hookless",
        "a module without the hook",
        "broken",
        "it has no hook mlpkit_components; expected a function of that name, marked with @mlpkit.hookimpl",
        "x = 1",
    ),
    HostilePlugin(
        "unmarked",
        "a hook that is not marked",
        "broken",
        "its function mlpkit_components is not marked; put @mlpkit.hookimpl above it",
        "def mlpkit_components():\n    return []",
    ),
    HostilePlugin(
        "wrong_hook",
        "a hook of a wrong name",
        "broken",
        "its hook 'mlpkit_component' is not one of mlpkit's; the only one is mlpkit_components",
        hook("return []", signature="mlpkit_component()"),
    ),
    HostilePlugin(
        "greedy_hook",
        "a hook that takes arguments",
        "broken",
        "mlpkit_components is called without arguments, but takes registry",
        hook("return []", signature="mlpkit_components(registry)"),
    ),
    HostilePlugin(
        "failing_hook",
        "an exception in the hook",
        "broken",
        "KeyError: 'colour' (hostile_failing_hook.py, line 12)",
        hook("raise KeyError('colour')"),
    ),
    HostilePlugin(
        "empty_hook",
        "a hook that returns nothing",
        "broken",
        "mlpkit_components returned nothing; expected a list, as in return [mlpkit.component('layer', 'Swish', Swish)]",
        hook("pass"),
    ),
    HostilePlugin(
        "mapping_hook",
        "a hook that returns a mapping",
        "broken",
        "mlpkit_components returned dict; expected a list, as in return [mlpkit.component('layer', 'Swish', Swish)]",
        hook("return {'Same': Same}"),
    ),
    HostilePlugin(
        "class_hook",
        "a hook that returns classes",
        "broken",
        "mlpkit_components returned an item of type ComponentType; expected mlpkit.component(...)",
        hook("return [Same]"),
    ),
    HostilePlugin(
        "double",
        "one component, declared twice",
        "broken",
        "the component Same is declared twice",
        hook("return [component('layer', 'Same', Same)] * 2"),
    ),
    HostilePlugin(
        "wrong_kind_name",
        "a kind that doesn't exist",
        "broken",
        "unknown kind 'layr'; expected one of layer, loss, optimizer, schedule, initializer, encoding, "
        "category_encoding, dataset, augmentation, metric, calibration, callback, exporter, engine, verb "
        "(hostile_wrong_kind_name.py, line 12)",
        hook("return [component('layr', 'Same', Same)]"),
    ),
    HostilePlugin(
        "wrong_target",
        "a component whose class is not there",
        "loaded",
        "layer wrong_target.Lost of wrong_target 1.0 can't be imported: AttributeError: module 'hostile_wrong_target' "
        "has no attribute 'Lost'",
        hook("return [component('layer', 'Lost', 'hostile_wrong_target:Lost')]"),
    ),
    HostilePlugin(
        "wrong_kind",
        "a layer that is declared as a loss",
        "loaded",
        "loss wrong_kind.Same of wrong_kind 1.0: Same is a layer; declare it as that, or derive it from mlpkit.Loss",
        hook("return [component('loss', 'Same', Same)]"),
    ),
    HostilePlugin(
        "untyped",
        "a component whose parameter has no annotation",
        "loaded",
        "layer untyped.Untyped of untyped 1.0: hostile_untyped.Untyped: parameter 'units' of its constructor has no "
        "annotation; expected the type that a spec may give, as in units: float",
        hook(
            "return [component('layer', 'Untyped', Untyped)]",
            before="class Untyped(Same):\n    def __init__(self, units):\n        pass\n",
        ),
    ),
    HostilePlugin(
        "ends_late",
        "a component whose module ends the process",
        "broken",
        "it ended the process that loaded it, with exit code 5",
        hook(
            "return [component('layer', 'Late', 'hostile_ends_late:Late')]",
            before="def __getattr__(name):\n    import os\n    if name == 'Late':\n        os._exit(5)\n"
            "    raise AttributeError(name)\n",
        ),
    ),
    HostilePlugin(
        "of_the_future",
        "its own metadata requires `mlpkit>=99`",
        "refused",
        "it requires mlpkit>=99, and this is mlpkit VERSION",
        requires="mlpkit (>=99)",
    ),
    HostilePlugin(
        "garbled_requirement",
        "a requirement of mlpkit that is not valid",
        "refused",
        "its metadata requires 'mlpkit is fine', which is not a requirement",
        requires="mlpkit is fine",
    ),
    HostilePlugin(
        "usurper",
        "claims the built-in namespace",
        "refused",
        "the built-in namespace 'mlpkit' belongs to the distribution mlpkit",
        entries=b"mlpkit = hostile_usurper",
    ),
    HostilePlugin(
        "first_claimant",
        "a namespace that another claims too",
        "refused",
        "the namespace 'claimed' is claimed by second_claimant too",
        entries=b"claimed = hostile_first_claimant",
    ),
    HostilePlugin(
        "second_claimant",
        "a namespace that another claims too",
        "refused",
        "the namespace 'claimed' is claimed by first_claimant too",
        entries=b"claimed = hostile_second_claimant",
    ),
    HostilePlugin(
        "claims_twice",
        "one namespace twice",
        "refused",
        "the namespace 'twice' is claimed twice",
        entries=b"twice = hostile_claims_twice\ntwice = hostile_claims_twice:plugin",
    ),
    HostilePlugin(
        "odd_namespace",
        "a namespace that specs can't write",
        "refused",
        "'odd name' can't be a namespace; expected letters, digits and underscores",
        entries=b"odd name = hostile_odd_namespace",
    ),
    HostilePlugin(
        "garbled",
        "an `entry_points.txt` that is garbage",
        "broken",
        "its entry_points.txt can't be read; expected lines such as 'name = module'",
        entries=b"\x01\x02 garbage",
    ),
    HostilePlugin(
        "not_text",
        "an `entry_points.txt` that is not in UTF-8",
        "broken",
        "its entry_points.txt is not in UTF-8",
        entries=b"not_text = hostile_not_text\n\xff\xfe = x",
    ),
]
