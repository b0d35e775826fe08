"""A convolutional network to begin with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Sequential
from mlpkit.registry.registry import installed
from mlpkit_plugins.first_networks.convolutions import ImageInputs, convolutional
from mlpkit_plugins.first_networks.perceptron import ClassTarget, ValueTarget

TWO = ClassTarget({"a": 50, "b": 50})
sides = st.integers(8, 120)


def built(layer):
    name, given = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
    given = {**given, "units": 2} if given.get("units") == "auto" else given
    return installed().create("loss" if name.endswith("Loss") else "layer", {name: given})


def names(network):
    return [layer if isinstance(layer, str) else next(iter(layer)) for layer in network.keys["layers"]]


@given(st.integers(1, 10**7), sides, sides, st.sampled_from([1, 3]), st.booleans())
@settings(max_examples=20, deadline=None)
def test_images_of_any_size_fit(examples, height, width, channels, are_planes):
    images = ImageInputs(channels, height, width, are_planes=are_planes)
    network = convolutional(examples, images, TWO)
    for path in network.comments:
        found = network.keys
        for key in path:
            found = found[key]
    stack = [built(layer) for layer in network.keys["layers"]]
    shape = (height, width, channels) if are_planes else (channels, height, width)
    assert Sequential(stack, input_shape=shape).input_shape == shape
    (augmentation,) = network.keys["training"]["augment"]
    assert 1 <= augmentation["shift"]["pixels"] <= min(height, width) / 4


@pytest.mark.parametrize(("side", "convolutions"), [(8, 1), (12, 1), (28, 2), (32, 2), (64, 3), (128, 4), (500, 4)])
def test_larger_images_get_more_convolutions(side, convolutions):
    assert names(convolutional(1000, ImageInputs(1, side, side), TWO)).count("Conv2d") == convolutions


@pytest.mark.parametrize("target", [TWO, ValueTarget()])
@pytest.mark.parametrize(
    ("border", "fill"),
    [
        (0.98, {"fill": 0.98}),
        (0.12345, {"fill": 0.123}),
        (0.0006, {"fill": 0.001}),
        (-0.0006, {"fill": -0.001}),
        (0.0004, {}),
        (0.0, {}),
    ],
)
def test_what_comes_in_from_outside_is_like_the_border_to_three_digits(border, fill, target):
    (shift,) = convolutional(1000, ImageInputs(1, 28, 28, border), target).keys["training"]["augment"]
    assert shift == {"shift": {"pixels": 2, **fill}}


@pytest.mark.parametrize(("shorter", "pixels"), [(8, 1), (20, 1), (22, 2), (120, 9)])
def test_images_are_moved_by_a_fourteenth_of_their_shorter_side(shorter, pixels):
    for height, width in ((shorter, 130), (130, shorter)):
        (shift,) = convolutional(1000, ImageInputs(1, height, width), TWO).keys["training"]["augment"]
        assert shift == {"shift": {"pixels": pixels}}


EXAMPLES = {
    "small planes": (12_345, ImageInputs(1, 8, 9, border=0.25, are_planes=True)),
    "photographs": (500, ImageInputs(3, 64, 80)),
}


def test_a_first_network_is_word_for_word_what_it_was(golden):
    """Constants and comments that did well on images, which no other test can know."""
    shown = {}
    for name, (examples, images) in EXAMPLES.items():
        network = convolutional(examples, images, TWO)
        comments = {".".join(map(str, path)): text for path, text in network.comments.items()}
        shown[name] = {**network.keys, "comments": comments, "decisions": dict(network.decisions)}
    text = yaml.safe_dump(json.loads(json.dumps(shown)), sort_keys=False, width=120, default_flow_style=None)
    golden(Path(__file__).parent / "convolutions.golden.yaml", text)
