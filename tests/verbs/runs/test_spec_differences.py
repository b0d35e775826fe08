"""Where specs differ, component by component."""

from __future__ import annotations

from mlpkit.verbs.runs.compare import differences

SGD = {"sgd": {"learning_rate": 0.1, "momentum": 0.9}}
ADAM = {"adam": {"learning_rate": 0.001, "beta1": 0.9}}


def of_training(*values):
    return differences([{"training": value} for value in values])


def test_parameters_of_the_same_component_stand_under_its_name():
    slow = {"sgd": {"learning_rate": 0.01, "momentum": 0.9}}
    found = of_training({"optimizer": SGD}, {"optimizer": slow})
    assert found == {"training.optimizer.sgd.learning_rate": [0.1, 0.01]}


def test_different_components_are_named_and_compared_in_what_both_have():
    assert of_training({"optimizer": SGD}, {"optimizer": ADAM}, {"optimizer": SGD}) == {
        "training.optimizer": ["sgd", "adam", "sgd"],
        "training.optimizer.learning_rate": [0.1, 0.001, 0.1],
    }


def test_a_component_that_is_not_everywhere_is_one_row():
    specs = [{"layers": {"Affine1": {"Affine": {"units": 5, "bias": True}}}}, {"layers": {"Relu1": {"Relu": True}}}]
    assert differences(specs) == {"layers.Affine1": ["Affine", None], "layers.Relu1": [None, "Relu"]}


def test_a_stack_of_one_layer_is_no_component():
    specs = [{"layers": {"Loss1": {"Loss": {"smoothing": s}}}} for s in (0.1, 0.2)]
    assert differences(specs) == {"layers.Loss1.Loss.smoothing": [0.1, 0.2]}


def test_other_sections_are_shown_as_they_are():
    clip = {"norm": 1.0}
    assert of_training({"clip": clip}, {"clip": None}) == {"training.clip": [clip, None]}
    assert of_training({"clip": clip}, {"clip": {"norm": 2.0}}) == {"training.clip.norm": [1.0, 2.0]}


def test_lists_of_components_are_named_and_those_of_the_same_compared():
    metrics = [{"metrics": [{"accuracy": {}}]}, {"metrics": [{"accuracy": {}}, {"f1": {}}]}]
    assert of_training(*metrics) == {"training.metrics": [["accuracy"], ["accuracy", "f1"]]}
    callbacks = [{"callbacks": [{"log": {"file": name}}]} for name in "ab"]
    assert of_training(*callbacks) == {"training.callbacks.0.log.file": ["a", "b"]}


def test_what_is_the_same_is_left_out():
    assert of_training({"optimizer": SGD}, {"optimizer": SGD}) == {}


def test_a_list_of_plain_values_is_one_row():
    assert differences([{"seed": [0, 1]}, {"seed": [0, 1, 2]}, {"seed": 0}]) == {"seed": [[0, 1], [0, 1, 2], 0]}
    columns = [{"data": {"csv": {"categorical": names}}} for names in (["soil"], ["district", "soil"])]
    assert differences(columns) == {"data.csv.categorical": [["soil"], ["district", "soil"]]}
