"""``mlpkit new-plugin``."""

from __future__ import annotations

import pytest

NEXT = """\
install it with: pip install -e "{place}[test]"
test it with: pytest {folder}
use it with: mlpkit run {folder}/example.yaml
"""


def test_a_package_is_written_and_what_to_do_with_it_is_said(mlpkit, cwd):
    done = mlpkit("new-plugin", "acme")
    assert (done.code, done.out) == (0, "acme-mlpkit\n")
    assert done.err == NEXT.format(place="./acme-mlpkit", folder="acme-mlpkit")
    assert (cwd / "acme-mlpkit/acme_mlpkit/swish.py").is_file()


def test_kind_and_folder_can_be_chosen(invoke, cwd):
    place = cwd / "elsewhere"
    done = invoke("new-plugin", "acme", "--kind", "schedule", "--out", str(place))
    assert (done.code, done.out) == (0, f"{place}\n")
    assert done.err == NEXT.format(place=place, folder=place)
    assert (place / "acme_mlpkit/cosine.py").is_file()


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("engine", "use it with: mlpkit sweep a/example.yaml --on acme.half_the_cores\n"),
        (
            "exporter",
            "train a network for it: mlpkit run a/example.yaml\n"
            "use it with: mlpkit export runs/acme --to FILE --format acme.numpy_code\n",
        ),
        ("verb", "use it with: mlpkit acme.small_weights --help\n"),
    ],
)
def test_the_last_command_uses_a_component_of_that_kind(invoke, kind, lines):
    assert invoke("new-plugin", "acme", "--kind", kind, "--out", "a").err.partition("pytest a\n")[2] == lines


def test_mistakes_are_shown(invoke):
    assert invoke("new-plugin", "Acme").err == (
        "error: 'Acme' can't be a namespace; expected a word or words in snake_case, such as acme or acme_vision, "
        "of up to 100 characters, and not a Python keyword\n"
    )
    assert invoke("new-plugin", "acme").code == 0
    again = invoke("new-plugin", "acme")
    assert (again.code, again.out) == (2, "")
    assert again.err == "error: acme-mlpkit exists already; choose another folder with --out\n"
    wrong = invoke("new-plugin", "acme", "--kind", "thing")
    assert wrong.code == 2
    assert "'thing' is not one of 'layer', 'loss'" in wrong.err
