"""Keys of a spec as people read them."""

from __future__ import annotations

from mlpkit.verbs.sweep.short_keys import short_keys


def test_keys_are_as_short_as_tells_them_apart():
    keys = ["training.optimizer", "training.optimizer.learning_rate", "layers.Affine1.units", "layers.Affine2.units"]
    assert short_keys([*keys, "vars.hidden", "seed"]) == [
        "optimizer",
        "learning_rate",
        "Affine1.units",
        "Affine2.units",
        "hidden",
        "seed",
    ]
    assert short_keys(["rate", "vars.rate"]) == ["rate", "vars.rate"]
