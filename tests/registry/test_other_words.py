"""The words of other libraries, and calls as in Python, lead to what a spec says."""

from __future__ import annotations

import pytest

import mlpkit
from mlpkit import PluginError, UnknownComponentError, component
from mlpkit.components.schema.context import CheckContext
from mlpkit.registry.registry import Registry, installed

STACK = ("layer", "loss")


@pytest.mark.parametrize(
    ("kinds", "word", "name"),
    [
        (STACK, "Dense", "Affine"),
        (STACK, "Linear", "Affine"),
        (STACK, "CrossEntropy", "SoftmaxWithLoss"),
        (STACK, "CrossEntropyLoss", "SoftmaxWithLoss"),
        (STACK, "BCEWithLogitsLoss", "SigmoidWithLoss"),
        (STACK, "MSELoss", "MeanSquaredError"),
        (STACK, "ReLU", "Relu"),
        (STACK, "BatchNormalization", "BatchNorm"),
        (("optimizer",), "RMSprop", "rmsprop"),
        (("schedule",), "CosineAnnealingLR", "cosine"),
        (("initializer",), "xavier_uniform", "glorot_uniform"),
    ],
)
def test_a_word_of_another_library_leads_to_ours_but_is_not_one(kinds, word, name):
    with pytest.raises(UnknownComponentError) as caught:
        installed().find(kinds, word)
    assert caught.value.remedy == f"did you mean '{name}'?"


def test_in_python_too():
    with pytest.raises(AttributeError, match=r"'Dense' among the layers and losses of mlpkit; did you mean 'Affine'\?"):
        _ = mlpkit.layers.Dense


def test_a_plugin_adds_words_without_being_loaded(distributions):
    code = """
        from mlpkit import Layer, component, hookimpl

        @hookimpl
        def mlpkit_components():
            return [component("layer", "Wave", "nowhere:Wave", aliases=["Ripple", "Dense"])]
    """
    distributions.install("acme", code)
    registry = Registry.discover()
    assert registry.nearest_to("Ripple", STACK) == "acme.Wave"
    assert registry.nearest_to("Dense", STACK) == "Affine"  # built-ins come first


@pytest.mark.parametrize("aliases", ["Dense", [1]])
def test_aliases_are_names(aliases):
    with pytest.raises(PluginError, match=r"layer Wave: aliases=.* are not names; expected a list of strings"):
        component("layer", "Wave", "acme:Wave", aliases=aliases)


@pytest.mark.parametrize(
    ("kind", "call", "remedy"),
    [("optimizer", "adam(0.01)", "write adam: {...}"), ("layer", "Relu()", "write Relu")],
)
def test_a_call_is_answered_with_the_grammar_of_specs(kind, call, remedy):
    context = CheckContext(installed().resolve)
    assert installed().resolve((kind,), call, (), context) is None
    (fault,) = context.faults
    assert fault.message == f"'{call}' is a call"
    assert fault.remedy == remedy
