"""A person's own arrays: what is said of targets that are not numbers of classes from 0."""

from __future__ import annotations

import numpy as np
import pytest

SPEC = """\
mlpkit: 1
data:
  npy:
    inputs: x.npy
    targets: t.npy
layers:
  - Affine: {units: 4}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 20
  epochs: 1
"""

BEGINS_AT_1 = """\
own.yaml:5:14: warning: no training example of t.npy has class 0, though the largest is 4
    5 |     targets: t.npy
      |              ^^^^^
  help: give more examples to training, or number them from 0 without gaps: np.unique(t, return_inverse=True)[1], \
or set predict: values if the targets are numbers to predict

"""

ONE_HOT = """\
error: t.npy: holds one-hot rows, of shape (100, 4); expected the number of each example's class; \
save them with .argmax(1), or set predict: labels if several can apply at once
"""

REAL_VALUES = """\
own.yaml:9:5: SoftmaxWithLoss1 compares logits with classes, but the data gives real values of shape (%s,)
    9 |   - SoftmaxWithLoss
      |     ^^^^^^^^^^^^^^^
  expected: data whose target is one of several classes
  help: %s
  note: the target comes from the data (npy) at own.yaml:2:1

1 error in own.yaml
"""


@pytest.fixture
def save(cwd):
    def saved(targets, predict=""):
        np.save("x.npy", np.random.default_rng(0).normal(size=(100, 3)))
        np.save("t.npy", targets)
        (cwd / "own.yaml").write_text(SPEC.replace("t.npy\n", f"t.npy\n    predict: {predict}\n") if predict else SPEC)

    return saved


def test_classes_from_1_are_warned_of_before_the_loss_complains(save, invoke):
    save(np.arange(100) % 4 + 1)
    for verb in ("check", "run"):
        done = invoke(verb, "own.yaml")
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"{BEGINS_AT_1}own.yaml:8:5: SoftmaxWithLoss1 gets 4 logits for 5 classes\n")
    for verb in (("check",), ("data",), ("run", "--quiet")):
        done = invoke(*verb, "own.yaml", "--set", "layers.Affine1.units=5")
        assert (done.code, done.err) == (0, BEGINS_AT_1)


def test_classes_from_0_are_not_warned_of(save, invoke):
    save(np.arange(100) % 4)
    done = invoke("run", "own.yaml", "--quiet")
    assert (done.code, done.err) == (0, "")


def test_one_hot_rows_and_whole_floats_come_with_advice_to_make_classes(save, invoke):
    save(np.eye(4)[np.arange(100) % 4])
    done = invoke("check", "own.yaml")
    assert (done.code, done.out, done.err) == (1, "", ONE_HOT)
    save(np.eye(4)[np.arange(100) % 4], predict="values")
    done = invoke("check", "own.yaml")
    assert (done.code, done.out, done.err) == (
        2,
        "",
        REAL_VALUES % (4, "save t.npy with .argmax(1), and set predict: classes"),
    )
    save(np.arange(100) % 4 * 1.0, predict="values")
    done = invoke("check", "own.yaml")
    what = (
        "end the layers with a loss on real values, such as MeanSquaredError; "
        "or save t.npy with .astype(int), and set predict: classes, if they are numbers of classes"
    )
    assert (done.code, done.out, done.err) == (2, "", REAL_VALUES % (1, what))
