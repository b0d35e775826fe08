"""What is read of the command line before its arguments are parsed."""

from __future__ import annotations

import pytest

from mlpkit.cli.options import colour_option, is_given, values_of_option


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("run a.yaml", []),
        ("--plugin a.py acme.greet --plugin=b.py Ann --plugin c.py", ["a.py", "b.py", "c.py"]),
        ("--plugin=a=b.py --plugin= --plugins=c.py --plug d.py", ["a=b.py", ""]),
        ("acme.greet Ann --plugin", []),
        ("acme.greet --plugin a.py -- --plugin b.py", ["a.py"]),
    ],
)
def test_the_values_of_an_option_are_found_in_their_order(line, values):
    assert values_of_option("--plugin", line.split()) == values


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("check --color never --color=always", True),
        ("check --color=always --color never", False),
        ("check --color=never --color auto", None),
        ("check --color sometimes", None),
        ("check", None),
    ],
)
def test_the_last_choice_of_colours_counts(line, wanted):
    assert colour_option(line.split()) is wanted


def test_a_flag_is_given_before_what_is_no_option():
    assert is_given("--json", ["check", "a.yaml", "--json"])
    assert not is_given("--json", ["check", "--", "--json"])
