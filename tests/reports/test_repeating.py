"""What is needed to repeat a run."""

from html import unescape

from mlpkit.reports.repeating import repeating_section


def test_commands_can_be_pasted_into_a_shell():
    lock = {"mlpkit": "1.2", "environment": {"numpy": "2.4"}}

    shown = unescape(repeating_section("my run", lock, [("slices", "1")]))

    assert "pip install mlpkit==1.2 numpy==2.4\n" in shown
    assert "mlpkit repro 'my run'\nmlpkit run 'my run/resolved.yaml' --out 'my run-again'" in shown
