"""``mlpkit lsp`` as an editor starts it, over a session in which somebody types a spec."""

from __future__ import annotations

from time import perf_counter, sleep

import numpy as np
import pytest
from calibration import slowness
from requirements import require_package
from spec_editor import MARK, SPEC, spec_editor, started_editor

from mlpkit.jobs.check import check
from mlpkit.specfile.shipped_specs import shipped_specs

require_package("pygls")

MAIN = shipped_specs()["mnist_3layer"].read_text("utf-8")
PAUSE = 40
"""Letters after which somebody looks at what the editor shows."""

NOISY = """\
import os
from mlpkit import Layer, component, hookimpl

print("from the plugin")
os.write(1, b"into the file")

class Loud(Layer):
    def build(self, input_shape):
        print("Content-Length: 3")
        return input_shape

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy

@hookimpl
def mlpkit_components():
    return [component("layer", "Loud", Loud)]
"""


@pytest.mark.parametrize("text", [pytest.param(MAIN, id="main"), pytest.param(SPEC, id="table")])
def test_a_spec_is_typed_letter_by_letter(tmp_path, text):
    with (tmp_path / "errors").open("w+") as errors, started_editor(tmp_path, stderr=errors) as editor:
        for end in range(1, len(text) + 1):
            editor.show(text[:end])
            if end % PAUSE == 0 or text[end - 1] == "\n":
                editor.completions(text[:end] + MARK)
                editor.hover(text[: end - 1] + MARK + text[end - 1])
                editor.hints(text[:end])
        assert editor.problems(text) == []
        assert editor.hints(text).count(" parameters\n") == text.count("Affine")
        assert not [message for message in editor.messages if message["method"] != "textDocument/publishDiagnostics"]
        errors.seek(0)
        assert errors.read() == ""


def test_problems_of_50_layers_are_there_at_once(tmp_path):
    layers = "".join(f"  - Affine: {{units: {50 + i}}}\n  - Relu\n" for i in range(24))
    text = SPEC.replace("  - Relu\n", f"  - Relu\n{layers}")
    assert text.count("\n  - ") == 52
    limit = 0.2 * slowness(perf_counter)
    seconds = []
    with spec_editor(tmp_path) as editor:
        assert editor.problems(text) == []
        for i in range(5):
            begin = perf_counter()
            (found,) = editor.problems(text.replace("units: 3}", f"units: {4 + i}}}"))
            seconds.append(perf_counter() - begin)
            assert found[0] == "wrong-shape"
    assert min(seconds) < limit, seconds


def test_typing_does_not_wait_for_a_slow_check(tmp_path, monkeypatch):
    def slow(*arguments):
        sleep(1)
        return check(*arguments)

    with spec_editor(tmp_path) as editor:
        assert editor.problems(SPEC) == []
        monkeypatch.setattr("mlpkit.verbs.lsp.diagnostics.check", slow)
        editor.show(SPEC.replace("units: 3", "units: 4"))
        sleep(0.3)
        assert "best_weights" in editor.completions(SPEC + f"  {MARK}")
        assert "softmax" in editor.hover(SPEC.replace("Softmax", f"Soft{MARK}max")).lower()
        assert editor.published() == []  # of the newest text, and not of those before it
        assert not any(message["params"]["diagnostics"] for message in editor.messages)


def test_what_a_plugin_prints_does_not_reach_the_editor(tmp_path):
    (tmp_path / "noisy.py").write_text(NOISY, "utf-8")
    with (tmp_path / "errors").open("w+") as errors:
        with started_editor(tmp_path, "--plugin", "noisy.py", stderr=errors) as editor:
            assert editor.problems(SPEC.replace("  - Relu\n", "  - noisy.Loud\n")) == []
        errors.seek(0)
        printed = errors.read()
    assert all(text in printed for text in ("from the plugin", "into the file", "Content-Length: 3"))


def test_no_text_is_too_odd(tmp_path):
    rng = np.random.default_rng(0)
    pieces = [
        *"\n :-{}[],'\"#$&*!|>%@`\t?\\\U0001f600",
        "  ",
        "- ",
        ": ",
        "null",
        "1e9",
        "$x",
        "layers:",
        "Affine",
        "data: {csv: ",
    ]
    with spec_editor(tmp_path) as editor:
        for _ in range(40):
            start, end = sorted(rng.integers(0, len(SPEC), 2))
            end = end if rng.random() < 0.3 else start + rng.integers(0, 3)
            inserted = "".join(rng.choice(pieces, rng.integers(0, 4)))
            text = (SPEC[:start] + inserted + SPEC[end:]).replace(MARK, "")
            at = min(start + rng.integers(0, 5), len(text))
            marked = text[:at] + MARK + text[at:]
            editor.show(text)
            editor.completions(marked)
            editor.hover(marked)
            editor.definitions(marked)
            editor.hints(text)
        assert not [message for message in editor.messages if message["method"] != "textDocument/publishDiagnostics"]
