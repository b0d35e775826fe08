"""What is needed to repeat a run."""

import re
from html import unescape

from mlpkit.pages.results import repeating_section


def test_commands_can_be_pasted_into_a_shell():
    lock = {"mlpkit": "1.2", "environment": {"numpy": "2.4"}}

    shown = unescape(repeating_section("my run", lock, {"slices": 1}))

    assert "pip install mlpkit==1.2 numpy==2.4\n" in shown
    assert "mlpkit repro 'my run'\nmlpkit run 'my run/resolved.yaml' --out 'my run-again'" in shown


def test_plugins_are_installed_or_named():
    plugins = {"acme-layers": "3.1", "mine": f"sha256 {64 * 'a'}"}
    lock = {"mlpkit": "1.2", "environment": {"numpy": "2.4"}, "requires": {"scipy": "1.0"}, "plugins": plugins}
    lock["plugin_files"] = {"mine": "/there/mine.py"}

    shown = unescape(repeating_section("run", lock, {}))

    assert "pip install mlpkit==1.2 numpy==2.4 scipy==1.0 acme-layers==3.1\n" in shown
    assert "mlpkit repro run --plugin /there/mine.py\n" in shown
    assert "mlpkit run run/resolved.yaml --out run-again --plugin /there/mine.py" in shown


def test_a_run_that_continues_another_is_resumed_from_there_and_what_is_empty_is_left_out():
    lock = {"mlpkit": None, "continues": {"run": "my base", "until": "--until 5"}, "files": [1, 2], "none": [], "a": ""}
    lock |= {"environment": {"python": "3.13", "numpy": "2.4"}, "zero": 0}
    part = unescape(repeating_section("run", lock, {"seed": 7, "threads": None}))
    commands = "pip install numpy==2.4\nmlpkit resume 'my base' --until 5 --out run-again"
    assert f'<pre tabindex="0">{commands}</pre>' in part
    rows = re.findall(r'<tr><td class="text">(.*?)</td><td class="text">(.*?)</td></tr>', part)
    named = {"seed": "7", "files": "1, 2", "environment.python": "3.13", "environment.numpy": "2.4", "zero": "0"}
    assert dict(rows) == {"continues.run": "my base", "continues.until": "--until 5"} | named
