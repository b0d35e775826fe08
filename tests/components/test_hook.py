"""Declaring components in the hook."""

from __future__ import annotations

import pytest

from mlpkit import Deprecation, PluginError, component
from mlpkit.components.hook import ComponentDeclaration
from mlpkit.components.kinds import KINDS


def test_declares_a_class_or_where_to_import_it_from():
    assert component("layer", "Conv2d", int) == ComponentDeclaration("layer", "Conv2d", int, None)
    assert component("metric", "top_k", "acme.top:TopK", extra="top") == ComponentDeclaration(
        "metric", "top_k", "acme.top:TopK", "top"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("layers", "Conv", int),
            f"unknown kind 'layers'; expected one of {', '.join(KINDS)}",
        ),
        (("layer", "conv2d", int), "'conv2d' can't be the name of a layer; expected CamelCase"),
        (("layer", "acme.Conv", int), "'acme.Conv' can't be the name of a layer; expected CamelCase"),
        (("loss", "my_loss", int), "'my_loss' can't be the name of a loss; expected CamelCase"),
        (("metric", "TopK", int), "'TopK' can't be the name of a metric; expected snake_case"),
        (("metric", "top__k", int), "'top__k' can't be the name of a metric; expected snake_case"),
        (("metric", "", int), "'' can't be the name of a metric; expected snake_case"),
        (("metric", None, int), "None can't be the name of a metric; expected snake_case"),
        (("layer", "Conv", 3), "layer Conv: 3 is not a class; expected a class or 'package.module:Class'"),
        (
            ("layer", "Conv", "acme.Conv"),
            "layer Conv: 'acme.Conv' is not a class; expected a class or 'package.module:Class'",
        ),
        (("layer", "Conv", "a:b:c"), "layer Conv: 'a:b:c' is not a class; expected a class or 'package.module:Class'"),
    ],
)
def test_a_wrong_declaration_is_refused(arguments, message):
    with pytest.raises(PluginError) as caught:
        component(*arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"deprecated": " "}, "deprecated=' ' is not advice; expected what to use instead"),
        ({"deprecated": True}, "deprecated=True is not advice; expected what to use instead"),
        ({"aliases": "Dense"}, "aliases='Dense' are not names; expected a list of strings"),
        ({"aliases": ["Dense", 3]}, "aliases=['Dense', 3] are not names; expected a list of strings"),
    ],
)
def test_wrong_advice_or_aliases_are_refused(arguments, message):
    with pytest.raises(PluginError) as caught:
        component("layer", "Conv", int, **arguments)
    assert str(caught.value) == f"layer Conv: {message}"


def test_what_is_optional_is_declared():
    declared = component("layer", "Conv", int, deprecated="use Conv2d", default=True, aliases=["Convolution"])
    assert declared == ("layer", "Conv", int, None, Deprecation("use Conv2d"), True, ("Convolution",))
