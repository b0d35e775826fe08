"""The JSON Schema of specs: accepts what is right, refuses what ``check`` refuses as far as it can say it."""

from __future__ import annotations

from pathlib import Path

import pytest
from requirements import require_components_of

from mlpkit.errors import SpecError
from mlpkit.specfile.shipped_specs import shipped_specs

ROOT = Path(__file__).parents[4]
WRONG = ROOT / "tests/specfile/wrong_specs"

ANOTHER_FILE = "the fault is in another file, or in what two files say together"
SHAPES = "shapes and targets are known only when data is described and layers are built"
OTHER_VALUES = "what one value may be depends on another's, further away"
FILES = "what is on the disk can't be said"
INSTALLED = "which versions are installed can't be said"
VARIABLES = "with variables, only the keys are known"
NOT_SAYABLE = {
    "data_folder_that_is_not_there": FILES,
    "extends_empty_file": ANOTHER_FILE,
    "extends_folder": ANOTHER_FILE,
    "extends_in_a_circle": ANOTHER_FILE,
    "extends_a_pipe": ANOTHER_FILE,
    "extends_itself": ANOTHER_FILE,
    "extends_missing_file": ANOTHER_FILE,
    "extends_missing_folder": ANOTHER_FILE,
    "extends_without_ending": ANOTHER_FILE,
    "extends_wrong_file_through_another": ANOTHER_FILE,
    "environment_variable_that_is_not_set": "what is in the environment can't be said",
    "layer_of_the_base_misspelt": ANOTHER_FILE,
    "name_that_a_new_layer_takes": ANOTHER_FILE,
    "inherited_value_of_a_wrong_type": ANOTHER_FILE,
    "inherited_value_that_does_not_fit": ANOTHER_FILE,
    "unknown_variable_in_extended_file": ANOTHER_FILE,
    "branches_of_different_shapes": SHAPES,
    "float_that_looks_whole": "to JSON Schema, 50.0 is an integer",
    "power_of_ten_for_an_integer": "to JSON Schema, 1e3 is an integer",
    "augmented_rows_of_pixels": SHAPES,
    "metrics_of_classes_on_labels": SHAPES,
    "metrics_of_classes_on_values": SHAPES,
    "metrics_of_two_classes_on_more": SHAPES,
    "metrics_of_values_on_classes": SHAPES,
    "weight_in_a_column_misspelt": FILES,
    "weights_that_a_table_of_counts_does_not_take": SHAPES,
    "image_into_affine": SHAPES,
    "branch_that_does_not_fit": SHAPES,
    "calibration_of_values": SHAPES,
    "calibration_without_validation": SHAPES,
    "layer_inside_that_does_not_fit": SHAPES,
    "layer_deep_inside_that_does_not_fit": SHAPES,
    "layer_behind_one_of_a_variable_size": SHAPES,
    "first_layer_inside_that_does_not_fit": SHAPES,
    "layers_inside_that_change_the_shape": SHAPES,
    "repeated_layer_that_does_not_fit": SHAPES,
    "logits_and_classes_differ": SHAPES,
    "shapes_and_minibatch_at_once": SHAPES,
    "minibatch_larger_than_the_data": SHAPES,
    "accumulated_beyond_the_data": SHAPES,
    "validation_as_large_as_the_data": SHAPES,
    "layer_name_that_another_has_by_default": OTHER_VALUES,
    "layer_name_twice": OTHER_VALUES,
    "variable_of_a_wrong_type": OTHER_VALUES,
    "schedule_without_an_end": OTHER_VALUES,
    "max_weight_norm_of_no_parameter": SHAPES,
    "schedules_out_of_range": OTHER_VALUES,
    "schedules_without_an_end": OTHER_VALUES,
    "precision_of_float64": OTHER_VALUES,
    "quantile_and_quantiles": OTHER_VALUES,
    "quantiles_for_too_few_units": SHAPES,
    "quantiles_not_ascending": OTHER_VALUES,
    "quantiles_of_two_values": SHAPES,
    "quantiles_without_the_median_for_metrics": OTHER_VALUES,
    "rates_of_no_parameter": SHAPES,
    "early_stopping_by_an_unknown_metric": OTHER_VALUES,
    "best_weights_by_a_table": OTHER_VALUES,
    "best_weights_by_a_metric_abbreviated": OTHER_VALUES,
    "best_weights_by_no_metric": OTHER_VALUES,
    "callbacks_with_names_that_are_taken": OTHER_VALUES,
    "callbacks_with_one_file": OTHER_VALUES,
    "requires_another_version": INSTALLED,
    "requires_what_is_not_installed": INSTALLED,
    "sweep_by_no_metric": OTHER_VALUES,
    "sweep_by_one_result_twice": OTHER_VALUES,
    "sweep_down": OTHER_VALUES,
    "sweep_in_the_wrong_direction": OTHER_VALUES,
    "sweep_of_a_choice_without_its_metric": OTHER_VALUES,
    "sweep_of_a_choice_without_validation": SHAPES,
    "sweep_of_a_key_alone": OTHER_VALUES,
    "sweep_of_a_key_that_a_later_one_replaces": OTHER_VALUES,
    "sweep_of_a_layer_by_its_number": OTHER_VALUES,
    "sweep_of_a_layer_that_is_not_there": OTHER_VALUES,
    "sweep_of_a_misspelt_key": OTHER_VALUES,
    "sweep_of_a_shape_that_does_not_fit": SHAPES,
    "sweep_of_no_variable": OTHER_VALUES,
    "sweep_of_nothing": OTHER_VALUES,
    "sweep_of_parameters_of_another_optimizer": OTHER_VALUES,
    "sweep_of_the_name": OTHER_VALUES,
    "sweep_of_what_is_no_key": OTHER_VALUES,
    "sweep_of_wrong_values": OTHER_VALUES,
    "sweep_on_a_logarithmic_scale_from_zero": OTHER_VALUES,
    "sweep_on_an_endless_grid": OTHER_VALUES,
    "sweep_on_too_large_a_grid": OTHER_VALUES,
    "sweep_over_several_seeds": OTHER_VALUES,
    "sweep_pruned_by_two_objectives": OTHER_VALUES,
    "sweep_under_a_condition_on_no_choice": OTHER_VALUES,
    "sweep_under_a_condition_that_comes_later": OTHER_VALUES,
    "sweep_under_a_condition_without_a_choice": OTHER_VALUES,
    "sweep_without_an_end": OTHER_VALUES,
    "sweep_by_a_metric_without_split": VARIABLES,
    "sweep_by_nothing": VARIABLES,
    "sweep_by_the_test_data": VARIABLES,
    "sweep_of_too_many_trials": VARIABLES,
    "sweep_with_choices_twice": VARIABLES,
    "sweep_with_search_misspelt": VARIABLES,
    "unknown_variable": VARIABLES,
    "variable_before_a_name": VARIABLES,
    "variable_in_braces_inside_text": VARIABLES,
    "variable_inside_text": VARIABLES,
    "variables_in_a_circle": VARIABLES,
}
"""What ``check`` refuses and the schema accepts, and why."""


def wrong_specs(data_of_file):
    """Return the wrong specs that are in the dialect, and so come before a schema at all, as data by name."""
    found = {}
    for path in sorted(WRONG.glob("*.yaml")):
        if path.with_suffix(".set").exists():  # right in itself; what is wrong is said on the command line
            continue
        try:
            found[path.stem] = data_of_file(path)
        except SpecError:
            continue
    return found


def test_a_wrong_spec_is_refused_unless_that_can_not_be_said(data_of_file, validator):
    cases = wrong_specs(data_of_file)
    assert len(cases) > 100
    accepted = {case for case, data in cases.items() if validator.is_valid(data)}
    assert accepted == set(NOT_SAYABLE)


@pytest.mark.parametrize("path", shipped_specs().values(), ids=shipped_specs())
def test_every_shipped_spec_is_accepted(path, validator, data_of_file):
    require_components_of(path.read_text("utf-8"))
    validator.validate(data_of_file(path))


BEGINNING = "mlpkit: 1\ndata: mnist\n"
TRAINING = "\ntraining: {optimizer: sgd, epochs: 1}\n"


@pytest.mark.parametrize(
    "text",
    [
        "vars: {n: 3}\nlayers: [Affine: {units: $n}, SoftmaxWithLoss]",
        "vars: {n: 3}\nlayers: [Affine: {units: '${n}'}, SoftmaxWithLoss]",
        "vars: {all: [SoftmaxWithLoss]}\nlayers: $all",
        "vars: {last: SoftmaxWithLoss}\nlayers: [Relu, $last]",
        "vars: {p: {units: 3}}\nlayers: [Affine: $p, SoftmaxWithLoss]",
        "vars: {w: zeros}\nlayers: [Affine: {units: 3, weights: $w}, SoftmaxWithLoss]",
        "layers: [Relu: {}, Relu: {name: a$$b}, SoftmaxWithLoss: {name: loss}]",
        "layers: [Affine: {units: 3}, SoftmaxWithLoss: null]",
        "requires: {mlpkit: '>=0.1,<9', acme-mlpkit: ==1.*}\nlayers: [SoftmaxWithLoss]",
        "requires: null\nlayers: [SoftmaxWithLoss]",
        "name: null\nlayers: [SoftmaxWithLoss]",
        "vars: {runs: a}\ninitialize_from: $runs/base\nlayers: [SoftmaxWithLoss]",
    ],
)
def test_what_is_right_is_accepted_with_variables_anywhere(text, validator, data_of_text):
    validator.validate(data_of_text(BEGINNING + text + TRAINING))


@pytest.mark.parametrize(
    "text",
    [
        "layers: [Affine: {units: a$n}, SoftmaxWithLoss]",
        "layers: [Affine: {units: 3, name: a$n}, SoftmaxWithLoss]",
        "layers: [Affine: {units: 3, name: a.b}, SoftmaxWithLoss]",
        "layers: [Affine: {units: 3}, Relu]",
        "layers: [SoftmaxWithLoss, SoftmaxWithLoss]",
        "vars: [1]\nlayers: [SoftmaxWithLoss]",
        "vars: {1a: 1}\nlayers: [SoftmaxWithLoss]",
        "requires: {mlpkit: '0.1'}\nlayers: [SoftmaxWithLoss]",
        "requires: {mlpkit: 1}\nlayers: [SoftmaxWithLoss]",
        "requires: [mlpkit]\nlayers: [SoftmaxWithLoss]",
        "requires: {a/b: '>1'}\nlayers: [SoftmaxWithLoss]",
        "sweep: {}\nlayers: [SoftmaxWithLoss]",
    ],
)
def test_what_is_wrong_with_a_single_value_is_refused(text, validator, data_of_text):
    assert not validator.is_valid(data_of_text(BEGINNING + text + TRAINING))


@pytest.mark.parametrize(
    ("training", "right"),
    [
        ("{optimizer: sgd, epochs: 1}", True),
        ("{optimizer: sgd, iterations: 1, epochs: null}", True),
        ("{optimizer: sgd, iterations: null}", False),
        ("{optimizer: sgd, iterations: 1, epochs: 1}", False),
        ("{optimizer: sgd, epochs: 1, metrics: [accuracy, accuracy]}", False),
        ("{optimizer: {sgd: {learning_rate: {one_cycle: {peak: 1}}}}, epochs: 1}", True),
        ("{optimizer: {sgd: {learning_rate: {one_cycle: {}}}}, epochs: 1}", False),
        ("{optimizer: {sgd: {}, adam: {}}, epochs: 1}", False),
        ("{optimizer: {}, epochs: 1}", False),
        ("{optimizer: sgd, epochs: 1, freeze: [Affine1, 'Batch*']}", True),
        ("{optimizer: sgd, epochs: 1, freeze: Affine1}", False),
        ("{optimizer: sgd, epochs: 1, max_weight_norm: {'*.W': 3}}", True),
        ("{optimizer: sgd, epochs: 1, max_weight_norm: {'*.W': 0}}", False),
        ("{optimizer: sgd, epochs: 1, max_weight_norm: 3}", False),
        ("{optimizer: sgd, epochs: 1, rates: {'*.b': 0.1}, decays: {Affine1.W: 36}}", True),
        ("{optimizer: sgd, epochs: 1, rates: {'*.b': -1}}", False),
        ("{optimizer: sgd, epochs: 1, decays: {'*.b': true}}", False),
    ],
)
def test_training(training, right, validator, data_of_text):
    text = f"{BEGINNING}layers: [SoftmaxWithLoss]\ntraining: {training}"
    assert validator.is_valid(data_of_text(text)) == right


@pytest.mark.parametrize(
    ("section", "right"),
    [
        ("runs/base", True),
        ("{run: runs/base}", True),
        ("{run: runs/base, layers: [Affine1, 'Batch*']}", True),
        ("{run: runs/base, layers: []}", False),
        ("{layers: [Affine1]}", False),
        ("{runs: base}", False),
        ("[runs/base]", False),
        ("3", False),
    ],
)
def test_initialize_from(section, right, validator, data_of_text):
    text = f"{BEGINNING}layers: [SoftmaxWithLoss]\ntraining: {{optimizer: sgd, epochs: 1}}\ninitialize_from: {section}"
    assert validator.is_valid(data_of_text(text)) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("seed: 1", True),
        ("training: {batch_size: 5}", True),
        ("layers: {Affine1: {units: 5}, Dropout1: null, Relu1: Tanh, Affine2: {Conv2d: {channels: 3}}, a: $b}", True),
        ("trainings: {batch_size: 5}", False),
    ],
)
def test_a_spec_that_extends_another_need_not_be_whole(text, right, validator, data_of_text):
    assert validator.is_valid(data_of_text(f"extends: other.yaml\n{text}")) == right


@pytest.mark.parametrize("extends", ["null", "3", "a$b.yaml"])
def test_what_extends_names_is_a_file(extends, validator, data_of_text):
    assert not validator.is_valid(data_of_text(f"extends: {extends}"))
