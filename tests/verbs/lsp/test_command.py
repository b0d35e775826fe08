"""``mlpkit lsp`` as a command."""

from __future__ import annotations

from requirements import require_package


def test_without_its_extra_it_names_the_command_that_installs_it(invoke, monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.lsp.command.find_spec", lambda name: None)
    done = invoke("lsp")
    assert (done.code, done.out) == (2, "")
    assert done.err == 'error: mlpkit lsp needs pygls; install it with: pip install "mlpkit[editor]"\n'


def test_a_plugin_that_is_missing_is_an_error(mlpkit):
    require_package("pygls")
    done = mlpkit("lsp", "--plugin", "nothing.py")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: the plugin file nothing.py doesn't exist\n"


def test_on_a_terminal_it_points_to_the_settings_of_editors(terminal):
    require_package("pygls")
    terminal("lsp").child.expect_exact("'mlpkit docs editors' shows the settings")
