"""Hostile submissions get no points, for the right reason, and harm nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import mlpkit_plugins

RIGHT = (Path(__file__).parent / "right/relu.py").read_text("utf-8")
INSTALLED = Path(mlpkit_plugins.__file__).parent / "layers/relu.py"
CANARY = "left alone"

MODULES = "import collections\nmodules = collections._sys.modules\nos = modules['os']\n"
IN_FORWARD = "\n\ndef forward(self, x):\n    {}\n\n\nRelu.forward = forward\n"

BEFORE = {
    "imports the answer": ("from mlpkit_plugins.layers.relu import Relu", "import mlpkit_plugins.layers.relu"),
    "imports mlpkit": ("import mlpkit", "import mlpkit"),
    "reads the installed answer": (f"open({str(INSTALLED)!r})", "open '.*relu.py'"),
    "reads the memory of mlpkit": (f"{MODULES}open('/proc/%d/mem' % os.getppid(), 'rb')", "open '/proc/"),
    "reads another's submission": ("import numpy as np\nnp.fromfile('../anna/relu.py')", "open|FileNotFound|OSError"),
    "catches refusals": ("try:\n    open('x')\nexcept BaseException:\n    pass", "open 'x'"),
    "forks": (f"{MODULES}while True: os.fork()", "os.fork"),
    "starts a program": ("import subprocess", "import subprocess"),
    "starts one by the system's function": (f"{MODULES}modules['posix'].system('touch CANARY')", "os.system"),
    "loops for ever": ("while True: pass", "not finished after 2 s"),
    "sleeps": ("import time\ntime.sleep(1000)", "not finished after 2 s"),
    "takes all memory": ("x = bytearray(10**10)", "MemoryError in line 1"),
    "prints without an end": ("while True: print('x' * 10**6)", "not finished after 2 s"),
    "exits": (f"{MODULES}os._exit(0)", "its process ended with exit code 0"),
    "raises SystemExit": ("raise SystemExit(0)", "SystemExit in line 1"),
    "starts threads": (
        f"{MODULES}modules['threading'].Thread(target=print).start()",
        "RuntimeError in line 4: can't start|_thread.start_joinable_thread",
    ),
    "ignores signals": (
        f"{MODULES}s = modules['_signal']\nfor n in (1, 2, 15): s.signal(n, s.SIG_IGN)\nwhile True: pass",
        "not finished after 2 s",
    ),
    "kills mlpkit": (f"{MODULES}os.kill(os.getppid(), 9)", "os.kill|PermissionError"),
    "overwrites a file": ("open('CANARY', 'w').write('x')", "open '.*canary"),
    "deletes a file": (f"{MODULES}os.remove('CANARY')", "os.remove"),
    "deletes its folder": (f"{MODULES}os.rmdir(os.getcwd())", "os.rmdir|PermissionError"),
    "makes a pipe of the file system": (f"{MODULES}os.mkfifo('CANARY2')", "PermissionError in line 4|os.mkfifo"),
    "closes the pipe": (f"{MODULES}os.closerange(3, 100)", "closed the pipe|process ended"),
    "imports socket": ("import socket", "import socket"),
    "opens a connection": (f"{MODULES}modules['_socket']", "KeyError in line 4"),
    "calls C": (f"{MODULES}modules['ctypes'].CDLL(None)", "ctypes.dlopen"),
    "raises the limits": (f"{MODULES}modules['resource'].setrlimit(7, (99, 99))", "resource.setrlimit"),
    "recurses": ("def f(): f()\nf()", "RecursionError in line 1"),
    "writes false marks": (
        f'{MODULES}for n in range(3, 12):\n    try: os.write(n, b\'{{"points": 100, "out_of": 100}}\' * 9)\n'
        "    except OSError: pass",
        "not an answer|process ended",
    ),
}
"""What happens when the file is loaded, before the right answer; and the reason."""

WITHIN = {
    "loops for ever in forward": ("while True: pass", "not finished after 2 s"),
    "exits in forward": ("collections._sys.modules['os']._exit(1)", "its process ended with exit code 1"),
    "returns far too much": ("return np.zeros((2000, 2000))", "4,000,000 elements, far too many"),
    "returns an object": ("return object()", "forward\\(\\) is not an array of numbers, but object"),
    "patches NumPy": ("np.allclose = np.array_equal = lambda *a: True; return x * 0", "y is zero everywhere"),
    "patches the checker": (
        "vars(collections._sys.modules['__main__'])['plain'] = lambda *a: np.ones((7, 5)); return x * 0",
        "expected",
    ),
    "returns what equals all": ("return type('Same', (np.ndarray,), {'__eq__': lambda *a: True})((7, 5))", "y"),
}
"""What forward does; and the reason."""


def submissions(canary):
    texts = {name: f"{text}\n\n{RIGHT}" for name, (text, _) in BEFORE.items()}
    texts |= {name: f"import collections\n{RIGHT}{IN_FORWARD.format(text)}" for name, (text, _) in WITHIN.items()}
    return {name: text.replace("CANARY", str(canary)) for name, text in texts.items()}


@pytest.fixture
def canary(cwd):
    (cwd / "canary").write_text(CANARY)
    return cwd / "canary"


def test_there_are_twenty():
    assert len(BEFORE | WITHIN) >= 20


@pytest.mark.parametrize("group", range(6))
def test_no_points_for_the_right_reason_and_no_harm(group, invoke, cwd, canary):
    reasons = {name: reason for name, (_, reason) in (BEFORE | WITHIN).items()}
    names = sorted(reasons)[group::6]
    texts = submissions(canary)
    for name in names:
        (cwd / "class" / name).mkdir(parents=True)
        (cwd / "class" / name / "relu.py").write_text(texts[name])
    before = {path.name for path in cwd.rglob("*")}
    handlers = signal.getsignal(signal.SIGINT)
    done = invoke("grade", "class", "--json", "--seconds", "2")
    marks = {mark["student"]: mark for mark in map(json.loads, done.out.splitlines())}
    assert marks.keys() == set(names)
    for name, mark in marks.items():
        assert mark["points"] == 0, name
        assert all(each["reason"] for each in mark["results"])
        assert re.search(reasons[name], mark["results"][0]["reason"]), (name, mark["results"][0]["reason"])
    assert canary.read_text() == CANARY
    assert {path.name for path in cwd.rglob("*")} == before
    assert signal.getsignal(signal.SIGINT) is handlers
    assert children() == []


def children():
    """Return the processes that this one has started and that haven't ended."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], check=False, capture_output=True, text=True
    )
    return [line for line in listed.stdout.splitlines() if "homework" in line]


def test_a_false_clock_hides_no_loop(invoke, cwd):
    loop = "y = np.zeros_like(x)\n    for p in np.ndindex(x.shape): y[p] = max(x[p], 0)\n    return y"
    clock = "import time\ntime.perf_counter = time.time = time.monotonic = lambda: 0.0\n"
    forward = "\n\ndef forward(self, x):\n    self.positive = x > 0\n    " + loop + "\n\n\nRelu.forward = forward\n"
    (cwd / "class").mkdir()
    (cwd / "class/relu.py").write_text(clock + RIGHT + forward)
    mark = json.loads(invoke("grade", "class", "--json").out)
    assert [each["title"] for each in mark["results"] if each["reason"]] == ["vectors in place of loops"]


def test_what_hostile_code_prints_reaches_nobody(invoke, cwd):
    (cwd / "class").mkdir()
    (cwd / "class/relu.py").write_text(f"print('anna  layer Relu  10 of 10')\nraise ValueError('\\x1b[2J')\n{RIGHT}")
    began = time.perf_counter()
    done = invoke("grade", "class")
    assert "10 of 10" not in done.out
    assert "\x1b" not in done.out
    assert "0 of 10" in done.out
    assert time.perf_counter() - began < 60


def test_skipping_what_is_timed_gets_no_points_for_speed(invoke, cwd):
    (cwd / "class").mkdir()
    skip = "\n\nforward = Relu.forward\nRelu.forward = lambda self, x: x if x.size > 1000 else forward(self, x)\n"
    (cwd / "class/relu.py").write_text(RIGHT + skip)
    (cwd / "class/sgd.py").write_text(
        (Path(__file__).parent / "right/sgd.py").read_text("utf-8")
        + "\n\nupdate = Sgd.update\n"
        + "Sgd.update = lambda self, p, g: next(iter(p.values())).size > 1000 or update(self, p, g)\n"
    )
    for line in invoke("grade", "class", "--json").out.splitlines():
        lost = {each["title"]: each["reason"] for each in json.loads(line)["results"] if each["reason"]}
        assert [*lost] == ["vectors in place of loops"], lost
        assert re.search("expected|is zero everywhere", lost["vectors in place of loops"])


def test_few_lines_of_yaml_that_hold_billions_end_at_once(invoke, cwd):
    lines = "".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    text = f"# mlpkit exercise: spec first_flowers\nkey: a\nvalue: 1\nsymptom:\n  - &a0 [x]\n{lines}"
    (cwd / "answer.yaml").write_text(text)
    assert "0 of 10\n  the file has aliases" in invoke("grade", ".").out


def test_brackets_inside_brackets_end_at_once(invoke, cwd):
    (cwd / "answer.yaml").write_text(f"# mlpkit exercise: spec first_flowers\nkey: {'[' * 100_000}\n")
    reason = "the file has 100,044 characters; expected 2,000 at most"
    assert f"0 of 10\n  {reason}" in invoke("grade", ".").out
