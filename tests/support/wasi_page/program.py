"""Answers messages to the playground, a line each."""

import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

sys.platform = "emscripten"  # like it, WASI has neither threads nor processes
module = ModuleType("pyodide_js._module")  # threadpoolctl finds as few libraries of threads as in Pyodide
module.LDSO = SimpleNamespace(loadedLibsByName=SimpleNamespace(as_object_map=dict))
sys.modules |= {"pyodide": ModuleType("pyodide"), "pyodide_js": ModuleType("pyodide_js"), "pyodide_js._module": module}
os.getuid = lambda: 0  # as Pyodide has it
os.chdir("/tmp")

from mlpkit.verbs.play.session import session_in_browser

session = session_in_browser(sys.argv[1], Path("/modules/spec.yaml").read_text("utf-8"))
sys.stdout.write("ready\n")
sys.stdout.flush()
for line in sys.stdin:
    sys.stdout.write(f"{json.dumps(session.handle(json.loads(line)))}\n")
    sys.stdout.flush()
