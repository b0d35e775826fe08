"""Docstrings, taken apart."""

from __future__ import annotations

from mlpkit.components.schema.signature import Docstring, parse_docstring

AFFINE = """Affine map of the features:
    every output is a weighted sum.

        y = x W + b

    More words.

    Args:
        units: number of outputs,
            from 1 up.
        weights: first values of W.

    Shapes: x (rows, features),
        y (rows, units).

    Source: Goodfellow et al. (2016).

    Raises:
        ShapeError: the inputs have more axes.
    """


def test_every_section_is_found():
    assert parse_docstring(AFFINE) == Docstring(
        summary="Affine map of the features: every output is a weighted sum.",
        body="    y = x W + b\n\nMore words.",
        parameters={"units": "number of outputs, from 1 up.", "weights": "first values of W."},
        sections={
            "Shapes": "x (rows, features), y (rows, units).",
            "Source": "Goodfellow et al. (2016).",
            "Raises": "ShapeError: the inputs have more axes.",
        },
    )


def test_a_missing_docstring_is_empty():
    assert parse_docstring(None) == parse_docstring("") == Docstring("", "", {}, {})


def test_a_summary_alone():
    assert parse_docstring("All zeros.") == Docstring("All zeros.", "", {}, {})


def test_words_before_the_first_parameter_belong_to_none():
    assert parse_docstring("X.\n\nArgs:\n    stray words\n    std: width.").parameters == {"std": "width."}
