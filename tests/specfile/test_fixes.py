"""Corrections as changes of the text, in its own style."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.context import Correction
from mlpkit.errors import Fix
from mlpkit.specfile.fixes import text_fix
from mlpkit.specfile.source import SourceText, Span


def fix(text, written, old, new, **options):
    """Return the change at the last place where something is written in a text."""
    start = text.rindex(written)
    return text_fix(Span(SourceText("s", text, **options), start, start + len(written)), Correction(old, new))


@pytest.mark.parametrize(
    ("written", "old", "new", "changed"),
    [
        ("tpe", "tpe", "type", "type"),
        ("a/b.cvs", "a/b.cvs", "a-1/b.csv", "a-1/b.csv"),
        ("'tpe'", "tpe", "type", "'type'"),
        ('"tpe"', "tpe", "a: type", '"a: type"'),
        ("'its'", "its", "it's", '"it\'s"'),
        ('"C:tpe"', "C:tpe", "C:\\type", '"C:\\\\type"'),
        ("tpe", "tpe", "the type", '"the type"'),
        ("the tpe", "the tpe", "the type", "the type"),
        ("on", "on", "1", '"1"'),
        ("tpe", "tpe", "", '""'),
    ],
)
def test_a_word_is_replaced_and_quoted_where_it_must_be(written, old, new, changed):
    assert fix(f"x: {written}\n", written, old, new) == Fix(written, changed)


@pytest.mark.parametrize(
    ("written", "old", "new"), [("$tpe", "tpe", "type"), ("'tpe'", "'tpe'", "type"), ("a", "a", "a")]
)
def test_what_is_written_otherwise_is_left_alone(written, old, new):
    assert fix(f"x: {written}\n", written, old, new) is None


def test_a_key_from_python_is_no_text():
    assert fix("tpe", "tpe", "tpe", "type", key_only=True) is None


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("layers:\n  - Affine: {units: 3}\n", "Flatten\n  - "),
        ("layers:\n- Affine\n", "Flatten\n- "),
        ("- Relu\r\n-   Affine\r\n", "Flatten\r\n-   "),
        ("- - Affine", "Flatten\n  - "),
        ("- -  - Affine", "Flatten\n     - "),
        ("x:\n  - { Affine: {units: 3}}", "Flatten: {}}\n  - { "),
        ("- {Affine: }", "Flatten: {}}\n- {"),
    ],
)
def test_an_item_is_put_before_another_in_its_style(text, before):
    assert fix(text, "Affine", None, "Flatten") == Fix("", before)
    quoted = text.replace("Affine", "'Affine'")
    assert fix(quoted, "'Affine'", None, "Flatten") == Fix("", before.replace("Flatten", "'Flatten'"))


@pytest.mark.parametrize("text", ["[Affine]", "- [Affine]", "x: Affine", "-Affine", "- {x: Affine}"])
def test_an_item_without_a_line_gets_none_before_it(text):
    assert fix(text, "Affine", None, "Flatten") is None
