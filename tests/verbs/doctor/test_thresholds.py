"""At which figures a training has a symptom, and what is said of it, in histories that are made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlpkit.verbs.doctor.health_history import LOSSES, HealthHistory, TrainingFacts
from mlpkit.verbs.doctor.symptoms import SYMPTOMS, new_symptoms

PROBES = (0, 100, 200, 300)


def spread_out(std, mean=0.0):
    return {"mean": mean, "std": std}


def layer(name="Affine1", **figures):
    healthy = {
        "layer": name,
        "units": 16,
        "outputs": spread_out(1.0),
        "gradients": spread_out(1.0),
        "identical": False,
        "dead": None,
        "saturated": None,
        "norm": 4.0,
        "gradient_norm": 1.0,
        "update_ratio": 0.01,
    }
    return healthy | figures


AFFINE = layer()


def at(place, figures):
    """Return figures of a probe or an evaluation: one of each tuple, and others as they are."""
    return {key: value[place] if isinstance(value, tuple) else value for key, value in figures.items()}


def history(probes=PROBES, *, layers=(AFFINE,), facts=(), records=(), known=(), inputs=(), **figures):
    """Return a history with a probe at each of some steps, and an evaluation after each but the first."""
    healthy = {"learning_rate": 0.1, "rows": 150, "loss": 0.5, "prediction_loss": None, "chance": 1.0}
    healthy |= dict.fromkeys(("level_loss", "least_loss", "bounded_loss")) | {"validation_chance": 1.0}
    healthy |= {"outwards": 0.0, "spread": 0.5, "missed": []}
    healths = [
        at(i, healthy | figures)
        | {"iteration": step, "layers": [at(i, each) for each in layers]}
        | {"inputs": {"largest": 1.0, "all_equal": False, **spread_out(1.0)} | dict(inputs)}
        for i, step in enumerate(probes)
    ]
    record = {"learning_rate": 0.1, "train_loss": 0.5, "validation_loss": 0.5} | dict(records)
    evaluations = [at(i, record) | {"iteration": step} for i, step in enumerate(probes) if step]
    return HealthHistory(TrainingFacts(**{"steps_per_epoch": 50} | dict(facts)), evaluations, healths, set(known))


FIRST = {"probes": (0,)}
RATE = "--set training.optimizer.learning_rate=0.01"
CLIP = "--set training.clip.norm=1"
CHECK = "to check that inputs and targets belong together: mlpkit data SPEC"
WEIGHTS = {"first_weights": {"Affine1": "--set a=1", "Affine2": "--set b=2"}}
VALUES = {"values": True}
RISING = {"probes": tuple(range(0, 500, 100)), "records": {"train_loss": (0, 0.1, 0.3, 0.2, 0.4)}}
ON_AND_ON = tuple(range(0, 800, 100))
RISES = (None, 0.1, *[0.1, 0.3] * 3, *[0.1] * 5)
LOW = {"loss": (1.0, 1.0, 1.0, 0.96), "facts": {"total_steps": 1000}}
BETTER = {"loss": (1.0, 1.0, 1.0, 0.5)}
OVER = {"total_steps": 300, "longer": "--set training.epochs=30", "steps_per_epoch": 100}
LEARNED = {"train_loss": 0.9, "validation_loss": (None, 1.3, 1.1, 1.2)}
FITTED = {"train_loss": (None, 0.5, 0.5, 0.4, 0.3), "validation_loss": (None, 0.5, 0.7, 0.8, 0.9)}
FIVE = {"probes": (0, 100, 200, 300, 400)}
OVERFITTED = (
    "--set training.early_stopping.metric=loss",
    "--set training.best_weights=loss",
    "weight decay or dropout",
    "more data, or augmentations of it",
)
HELD = {"loss": 0.25, "outwards": 0.31, "layers": [layer(norm=(4.0, 3.0, 2.8, 2.6))]}
CASES = {
    "inputs_not_scaled": [
        (
            {**FIRST, "inputs": {"largest": 10.5}, "layers": [layer(outputs=spread_out(9.0, 6.0))]},
            ("", "an input has a root mean square of 10.5, and Affine1 passes that on"),
            ("inputs with mean 0 and standard deviation 1",),
        ),
        ({**FIRST, "inputs": {"largest": 10.0}, "layers": [layer(outputs=spread_out(9.0, 6.0))]}, None),
        ({**FIRST, "inputs": {"largest": 10.5}, "layers": [layer(outputs=spread_out(8.0, 6.0))]}, None),
        (
            {
                **FIRST,
                "inputs": {"largest": 0.009},
                "layers": [layer("Relu1", norm=None), layer(outputs=spread_out(0.009))],
                "facts": {"scale_inputs": "--set data.csv.standardize=true"},
            },
            ("", "no input has a root mean square above 0.009"),
            ("--set data.csv.standardize=true",),
        ),
        ({**FIRST, "inputs": {"largest": 0.01}, "layers": [layer(outputs=spread_out(0.009))]}, None),
        ({**FIRST, "inputs": {"largest": 0.009}, "layers": [layer(outputs=spread_out(0.01))]}, None),
        ({**FIRST, "inputs": {"largest": 10.5}, "layers": [layer(outputs=spread_out(None))]}, None),
        ({**FIRST, "inputs": {"largest": None}, "layers": [layer(outputs=spread_out(9.0, 6.0))]}, None),
        ({**FIRST, "inputs": {"largest": 10.5}, "layers": [layer(norm=None, outputs=spread_out(11.0))]}, None),
        ({"inputs": {"largest": 10.5}, "layers": [layer(outputs=spread_out(9.0, 6.0))]}, None),
    ],
    "constant_inputs": [
        (
            {**FIRST, "inputs": {"all_equal": True}},
            ("", "all 150 rows that were looked at have the same inputs"),
            (CHECK,),
        ),
        ({"inputs": {"all_equal": True}}, None),
    ],
    "bounded_outputs": [
        (
            {"bounded_loss": 0.4, "least_loss": 0.25, "chance": 1.25, "layers": [layer(), layer("Sigmoid1")]},
            ("Sigmoid1", "within its bounds, the loss can't fall below 0.4; without them, it can reach 0.25"),
            ("the stack without Sigmoid1",),
        ),
        ({"bounded_loss": 0.1, "least_loss": 0.0}, None),
        ({"bounded_loss": 0.4, "least_loss": None}, None),
        ({"bounded_loss": None, "least_loss": 0.25}, None),
        ({"bounded_loss": 0.4, "least_loss": 0.25, "chance": None}, None),
    ],
    "indistinct_targets": [
        (
            {"level_loss": 1.0, "least_loss": 0.95},
            ("", "predictions without an error have a loss of 0.95, and outputs of zero one of 1"),
            ("less smoothing of the targets",),
        ),
        ({"level_loss": 1.0, "least_loss": 0.94}, None),
        ({"level_loss": None, "least_loss": 0.95}, None),
        ({"level_loss": 1.0, "least_loss": None}, None),
    ],
    "target_not_scaled": [
        (
            {**FIRST, "loss": 10.5, "facts": VALUES},
            ("", "the initial loss is 10.5, and a constant prediction reaches 1"),
            ("values to predict with mean 0 and standard deviation 1",),
        ),
        ({**FIRST, "loss": 10.0, "facts": VALUES}, None),
        ({**FIRST, "loss": 10.5}, None),
        ({**FIRST, "loss": 10.5, "facts": {**VALUES, "scaled_values": True}}, None),
        ({**FIRST, "loss": 10.5, "chance": 0.0, "facts": VALUES}, None),
        ({"loss": (10.5, 0.5, 0.5, 0.5), "facts": VALUES}, None),
        (
            {"loss": 0.99, "spread": (0.009, 1.0, 1.0, 1.0), "facts": {**VALUES, "scale_target": "scale=True"}},
            ("", "the initial predictions vary 0.9 % as much as the values"),
            ("scale=True",),
        ),
        ({"loss": 0.99, "spread": (0.01, 1.0, 1.0, 1.0), "facts": VALUES}, None),
        ({"loss": 0.99, "spread": 0.0, "facts": VALUES}, None),
        ({"loss": 0.99, "spread": 0.009, "facts": {**VALUES, "steps_per_epoch": 301}}, None),
        ({"loss": (0.5, 0.5, 0.98, 0.99), "spread": 0.009, "facts": VALUES}, None),
    ],
    "first_weights_too_large": [
        (
            {**FIRST, "loss": 10.5, "layers": [layer(outputs=spread_out(3.0, 1.1))], "facts": WEIGHTS},
            ("", "the initial loss is 10.5, from outputs of about 3.2, and a constant prediction reaches 1"),
            ("--set a=1 --set b=2", "smaller initial weights"),
        ),
        ({**FIRST, "loss": 10.0, "layers": [layer(outputs=spread_out(3.0, 1.1))]}, None),
        ({**FIRST, "loss": 10.5, "layers": [layer(outputs=spread_out(3.0, 0.9))]}, None),
        ({"loss": 10.5, "layers": [layer(outputs=spread_out(3.0, 1.1))]}, None),
        ({**FIRST, "loss": 10.5, "layers": []}, None),
    ],
    "too_much_noise": [
        (
            {**FIRST, "loss": 16.0, "prediction_loss": 10.5},
            ("", "the loss is 16 in training and 10.5 in prediction; a constant prediction reaches 1"),
            ("a lower rate of dropout",),
        ),
        ({**FIRST, "loss": 15.0, "prediction_loss": 10.0}, None),
        ({**FIRST, "loss": 10.0, "prediction_loss": 1.0}, None),
        ({"loss": 1.6, "prediction_loss": (None, None, 1.0, 1.0)}, ...),
        ({"loss": 1.6, "prediction_loss": (None, 1.0, None, 1.0)}, None),
        ({"loss": 1.6, "prediction_loss": 1.0, "chance": 0.0}, None),
    ],
    "exploding_gradient": [
        (
            {
                "layers": [layer(gradients=spread_out(3e4)), layer("Affine2"), layer("Affine3", gradients=None)],
                "facts": WEIGHTS,
            },
            ("Affine1", "its outputs get gradients of about 3e+04, and the outputs of Affine2 of about 1"),
            ("--set a=1 --set b=2", "smaller initial weights", CLIP),
        ),
        ({"layers": [layer(gradients=spread_out(1e4)), layer("Affine2")]}, ...),
        ({"layers": [layer(gradients=spread_out(3e4)), layer("Affine2", gradients=spread_out(0.0))]}, None),
        ({"layers": [layer(gradients=spread_out(None)), layer("Affine2")]}, None),
        ({"layers": [layer(gradients=spread_out(3e4))]}, None),
    ],
    "batch_too_small": [
        (
            {"facts": {"slice_rows": 7, "coupling": ("BatchNorm2", "BatchNorm3")}},
            ("BatchNorm2", "it computes with the statistics of 7 examples at a time"),
            ("--set training.batch_size=32",),
        ),
        (
            {"facts": {"slice_rows": 1, "coupling": ("BatchNorm2",)}},
            ("BatchNorm2", "it computes with the statistics of 1 example at a time"),
            ("--set training.batch_size=32",),
        ),
        ({"facts": {"slice_rows": 8, "coupling": ("BatchNorm2",)}}, None),
        ({"facts": {"slice_rows": 7}}, None),
    ],
    "identical_units": [
        (
            {"layers": [layer("Relu1", identical=True, norm=None), layer("Affine2", identical=True)], "facts": WEIGHTS},
            ("Affine2", "its 16 units return the same, get the same gradient, and so stay the same"),
            ("--set b=2", "random initial weights"),
        ),
        ({"layers": [layer("Relu1", dead=1, norm=None), layer("Affine2", identical=True)]}, None),
        ({"layers": [layer("Relu1", dead=0.9, norm=None), layer("Affine2", identical=True)]}, ...),
    ],
    "diverging": [
        ({"loss": (0.5, 0.5, 0.5, None), "facts": {"clipped": True}}, ("", "the loss is no longer finite"), (RATE,)),
        ({**FIRST, "loss": None}, None),
        (
            {"loss": (0.5, 0.6, 0.7, 1.1), "layers": [layer(norm=(1.0, 1.0, 3.0, 9.0))]},
            ("", "the norm of all parameters grew from 1 to 3 to 9"),
            (RATE, CLIP),
        ),
        ({"loss": (0.5, 0.6, 0.7, 1.0), "layers": [layer(norm=(1.0, 1.0, 3.0, 9.0))]}, None),
        ({"loss": (0.5, 0.6, 0.7, 1.1), "layers": [layer(norm=(1.0, 1.0, 2.9, 9.0))]}, None),
        ({"probes": (0, 100), "loss": (0.5, 1.1), "layers": [layer(norm=(1.0, 3.0))]}, None),
    ],
    "dead_units": [
        (
            {
                "layers": [layer("Relu1", dead=0.875), layer("Relu2", dead=0.9375), layer("Relu3", units=4, dead=0.99)],
                "facts": WEIGHTS,
            },
            ("Relu2", "94 % of its 16 units pass no gradient on, for any of 150 examples"),
            ("--set a=1 --set b=2", RATE, "an activation without flat parts"),
        ),
        ({"layers": [layer("Relu1", dead=0.874)]}, None),
        ({"layers": [layer("Relu1", dead=0.875)]}, ...),
        (
            {**FIRST, "layers": [layer("Relu1", units=4, dead=1.0)]},
            ("Relu1", "100 % of its 4 units pass no gradient on, for any of 150 examples"),
            ("an activation without flat parts",),
        ),
    ],
    "rate_too_high": [
        (
            {"loss": (0.9, 1.0, 1.1, 1.3)},
            ("", "the loss is 1.3, from 0.9 at first; a constant prediction reaches 1"),
            (RATE, CLIP),
        ),
        ({"loss": (0.9, 1.0, 1.1, 1.2)}, None),
        ({"loss": 1.3}, None),
        ({"loss": (0.9, 1.0, 1.1, 1.3), "facts": {"steps_per_epoch": 301}}, None),
        ({"loss": (0.9, 1.0, 1.1, 10.5), "facts": {"steps_per_epoch": 301}}, ...),
        ({"loss": (0.9, 1.0, 1.1, 10.0), "facts": {"steps_per_epoch": 301}}, None),
        (
            {"probes": (0, 10), "loss": (1.4, 1.3), "layers": [layer(norm=(4.0, 3.0), update_ratio=(None, 0.4))]},
            (
                "",
                "a step changed the parameters by 30 % of their initial norm, and the loss is 1.3; a constant "
                "prediction reaches 1",
            ),
            (RATE, CLIP),
        ),
        ({"probes": (0, 10), "loss": (1.4, 1.3), "layers": [layer(norm=4.0, update_ratio=(None, 0.25))]}, None),
        ({"probes": (0, 10), "loss": (1.4, 1.2), "layers": [layer(norm=4.0, update_ratio=(None, 0.4))]}, None),
        ({"probes": (0, 10), "loss": (1.4, 1.3), "layers": [layer(norm=0.0, update_ratio=(None, 0.4))]}, None),
        (
            {
                "probes": (0, 10),
                "loss": (1.4, 1.3),
                "prediction_loss": 0.8,
                "layers": [layer(norm=4.0, update_ratio=(None, 0.4))],
            },
            None,
        ),
        (
            {"probes": ON_AND_ON, "records": {"train_loss": (None, 0.1, 0.3, 0.2, 0.4, 0.2, 0.35, 0.1)}},
            ("", "the training loss rose in 3 of the last 6 evaluations: 0.2, 0.4, 0.2, 0.35, 0.1"),
            (RATE, CLIP),
        ),
        ({"probes": ON_AND_ON, "records": {"train_loss": (None, 0.1, 0.3, 0.2, 0.4, 0.2, 0.3, 0.1)}}, None),
        ({"probes": range(0, 1300, 100), "records": {"train_loss": RISES}}, None),  # of ten evaluations, two are higher
        ({"probes": range(0, 1200, 100), "records": {"train_loss": RISES}}, ...),
        ({"probes": ON_AND_ON, "chance": None, "records": {"train_loss": (None, *[3.5, 4.0] * 3, 3.5)}}, ...),
        ({"probes": ON_AND_ON, "chance": None, "records": {"train_loss": (None, *[3.7, 4.0] * 3, 3.7)}}, None),
        (
            {
                "probes": ON_AND_ON,
                "records": {
                    "train_loss": (None, 0.1, 0.3, 0.2, 0.4, 0.2, 0.35, 0.1),
                    "learning_rate": (None, 0.1, 0.1, 0.1, 0.1, 0.1, 0.11, 0.1),
                },
            },
            None,
        ),
    ],
    "saturated_units": [
        (
            {"layers": [layer("Tanh1", saturated=0.4), layer("Tanh2", saturated=0.5)], "facts": WEIGHTS},
            ("Tanh2", "50 % of its 16 units let through less than 5 % of the gradient that they could"),
            ("--set a=1 --set b=2", RATE, "a normalization before it"),
        ),
        (
            {**FIRST, "layers": [layer("Tanh1", saturated=0.75)]},
            ("Tanh1", "75 % of its 16 units let through less than 5 % of the gradient that they could"),
            ("a normalization before it",),
        ),
        ({"layers": [layer("Tanh1", saturated=0.49), layer()]}, None),
        ({"layers": []}, None),
    ],
    "vanishing_gradient": [
        (
            {"layers": [layer(gradients=(None, None, spread_out(3e-5), spread_out(4e-5))), layer("Affine2")]},
            ("Affine1", "its outputs get gradients of about 4e-05, and the outputs of Affine2 of about 1"),
            ("steeper activations, skip connections, or normalizations between layers", "fewer layers"),
        ),
        ({"layers": [layer(gradients=(None, None, spread_out(1.0), spread_out(4e-5))), layer("Affine2")]}, None),
        ({"layers": [layer(gradients=spread_out(1e-4)), layer("Affine2")]}, None),
    ],
    "zero_gradient": [
        (
            {"layers": [layer(), layer("Affine2", gradient_norm=(1.0, 1.0, 0.0, 0.0))], "facts": WEIGHTS},
            ("Affine2", "its gradient is exactly zero: it doesn't learn"),
            ("--set a=1 --set b=2", "to look at the layers after it, which pass nothing back"),
        ),
        ({"layers": [layer(gradient_norm=(0.0, 0.0, 1.0, 0.0))]}, None),
        ({"probes": (0, 100), "layers": [layer(gradient_norm=0.0)]}, None),
    ],
    "rate_too_low": [
        (
            {**LOW, "layers": [layer(update_ratio=(None, 2e-5, 5e-5, 4e-5))]},
            (
                "",
                "a step changes no layer's parameters by more than 5.0e-05 of their norm, and the loss went from 1 to "
                "0.96",
            ),
            ("--set training.optimizer.learning_rate=2", "mlpkit tune-rate SPEC"),
        ),
        (
            {**LOW, "layers": [layer(update_ratio=0.0)]},
            (
                "",
                "a step changes no layer's parameters by more than 0.0e+00 of their norm, and the loss went from 1 to "
                "0.96",
            ),
            ("--set training.optimizer.learning_rate=100", "mlpkit tune-rate SPEC"),
        ),
        ({**LOW, "layers": [layer(update_ratio=1e-4)]}, None),
        ({**LOW, "layers": [layer(update_ratio=0.99e-4)]}, ...),
        ({**LOW, "facts": {}, "layers": [layer(update_ratio=0.33e-4)]}, ...),
        ({**LOW, "facts": {}, "layers": [layer(update_ratio=0.34e-4)]}, None),
        ({**LOW, "loss": (1.0, 1.0, 1.0, 0.94), "layers": [layer(update_ratio=1e-6)]}, None),
        ({**LOW, "loss": (1.0, 1.0, 1.0, 0.95), "layers": [layer(update_ratio=1e-6)]}, ...),
        ({"loss": (1.1, 1.0, 1.0, 0.99), "layers": [layer(update_ratio=1e-6)]}, ...),
        ({**LOW, "facts": {"steps_per_epoch": 301}, "layers": [layer(update_ratio=1e-6)]}, None),
    ],
    "shrunk_weights": [
        (
            {"loss": 0.9, "layers": [layer(norm=(4.0, 3.0, 2.0, 0.99))]},
            ("", "the norm of all parameters fell from 4 to 0.99"),
            ("a smaller weight decay",),
        ),
        ({"loss": 0.9, "layers": [layer(norm=(4.0, 3.0, 2.0, 1.0))]}, None),
        ({"loss": 0.89, "layers": [layer(norm=(4.0, 3.0, 2.0, 0.99))]}, None),
        ({"loss": 0.9, "layers": [layer(norm=(4.0, 3.0, 2.0, 0.99))], "facts": {"steps_per_epoch": 301}}, None),
        (
            HELD,
            (
                "",
                "the norm of all parameters fell from 4 to 2.6, although the gradient would increase it, and the loss "
                "stays at 0.25",
            ),
            ("a smaller weight decay",),
        ),
        ({**HELD, "layers": [layer(norm=(4.0, 3.0, 2.8, 2.61))]}, None),
        ({**HELD, "loss": 0.24}, None),
        ({**HELD, "outwards": (0.4, 0.3, 0.4, 0.4)}, None),
        ({**HELD, "outwards": (0.0, 0.4, 0.4, 0.4)}, ...),
        ({**HELD, "records": {"validation_loss": 0.625}}, None),
        ({**HELD, "records": {"validation_loss": 0.62}}, ...),
    ],
    "constant_outputs": [
        (
            {"spread": (0.5, 0.5, 0.0009, 0.0008), "facts": WEIGHTS},
            ("", "no prediction varies by more than 8.0e-04 over 150 examples"),
            (RATE, "--set a=1 --set b=2", "inputs that differ, and are scaled"),
        ),
        ({"spread": (0.5, 0.5, 0.0009, 0.001)}, None),
        ({"spread": 0.0, "facts": {"steps_per_epoch": 301}}, None),
    ],
    "loss_at_chance": [
        (
            {"loss": (0.5, 0.99, 0.98001, 1.02)},
            ("", "the loss stays at 1.02, and a constant prediction reaches 1"),
            (CHECK, "--set training.optimizer.learning_rate=1", RATE),
        ),
        ({"loss": (0.5, 0.99, 0.98, 1.02)}, None),
        ({"loss": (2.0, 1.05, 1.04, 1.03)}, None),
        ({"loss": (2.0, 1.04, 1.04, 1.03)}, ...),
        ({"loss": 1.02, "facts": {"steps_per_epoch": 301}}, None),
    ],
    "too_few_steps": [
        (
            {
                "probes": (0, 5, 10),
                "loss": (1.2, 1.1, 0.99),
                "facts": {**OVER, "total_steps": 10, "steps_per_epoch": 99},
            },
            ("", "after all 10 steps the loss is 0.99, and a constant prediction reaches 1"),
            (
                "--set training.epochs=30",
                "--set training.optimizer.learning_rate=1",
                "a smaller batch_size, for more steps per epoch",
            ),
        ),
        ({"probes": (0, 5, 9), "loss": (1.2, 1.1, 0.99), "facts": {**OVER, "total_steps": 9}}, None),
        ({"probes": (0, 5, 10), "loss": (1.2, 1.1, 0.98), "facts": {**OVER, "total_steps": 10}}, None),
        ({"probes": (0, 5, 10), "loss": (1.2, 1.1, 0.99), "facts": {**OVER, "total_steps": 20}}, None),
        (
            {"loss": (2.0, 1.5, 1.3, 1.2), "facts": OVER},
            ("", "after all 300 steps the loss is 1.2, and a constant prediction reaches 1"),
            ("--set training.epochs=30", "--set training.optimizer.learning_rate=1"),
        ),
        ({"loss": (2.0, 1.2, 1.3, 1.2), "facts": OVER}, None),
        ({"loss": (2.0, 1.5, 1.3, 1.0), "facts": OVER}, None),
    ],
    "classes_never_predicted": [
        (
            {"missed": ([], [], [1, 2], [2]), "facts": {"class_names": ("a", "b", "c"), "balance": "--set c=1"}},
            ("", "none of 150 training rows is predicted as class 'c'"),
            ("--set c=1", "more steps"),
        ),
        (
            {"missed": [1, 2, 3, 4, 5]},
            ("", "none of 150 training rows is predicted as classes 1, 2, 3, 4, 5"),
            ("more steps",),
        ),
        (
            {"missed": [1, 2, 3, 4, 5, 7, 8]},
            ("", "none of 150 training rows is predicted as classes 1, 2, 3, 4, 5 and 2 others"),
            ("more steps",),
        ),
        ({"missed": ([], [1], [], [1])}, None),
        ({"missed": [1], "facts": {"steps_per_epoch": 301}}, None),
    ],
    "nothing_carries_over": [
        (
            {"records": LEARNED, "validation_chance": 1.07},
            (
                "",
                "the training loss is 0.9, but the validation loss was never below 1.1, and a constant prediction "
                "reaches 1.07",
            ),
            (CHECK, "other inputs", "more data"),
        ),
        ({"records": LEARNED, "validation_chance": 1.08}, None),
        ({"records": {**LEARNED, "train_loss": 0.91}}, None),
        ({"records": LEARNED, "validation_chance": None}, None),
        ({"records": LEARNED, "facts": {"steps_per_epoch": 301}}, None),
    ],
    "overfitting": [
        (
            {**FIVE, "records": FITTED},
            ("", "the validation loss is 0.9, after 0.5 at step 100; the training loss is 0.3"),
            OVERFITTED,
        ),
        ({**FIVE, "records": FITTED, "facts": {"guarded": True}}, None),
        ({**FIVE, "records": FITTED, "facts": {"steps_per_epoch": 401}}, None),
        ({**FIVE, "records": {**FITTED, "validation_loss": (None, 0.5, 0.7, 0.8, 0.75)}}, None),
        ({**FIVE, "records": FITTED, "chance": 4.0}, None),
        ({**FIVE, "records": {**FITTED, "train_loss": (None, 0.5, 0.5, 0.4, 0.5)}}, None),
        ({**FIVE, "records": {**FITTED, "validation_loss": (None, 0.7, 0.5, 0.8, 0.9)}}, ...),
        ({**FIVE, "records": {**FITTED, "validation_loss": (None, 0.7, 0.8, 0.5, 0.9)}}, None),
        (
            {**FIVE, "records": {"train_loss": 0.79, "validation_loss": (None, 1.0, 1.05, 1.05, 1.11)}},
            ("", "the validation loss is 1.11, after 1 at step 100; the training loss is 0.79"),
            OVERFITTED,
        ),
        ({**FIVE, "records": {"train_loss": 0.8, "validation_loss": (None, 1.0, 1.05, 1.05, 1.11)}}, None),
        ({**FIVE, "records": {"train_loss": 0.79, "validation_loss": (None, 1.0, 1.05, 1.05, 1.1)}}, None),
    ],
}


@pytest.mark.parametrize("name", SYMPTOMS)
def test_each_symptom_is_found_beyond_its_bounds_alone_and_told_with_figures(name):
    for given, *expected in CASES[name]:
        found = SYMPTOMS[name][0](history(**given))
        if expected[0] in (None, ...):
            assert (found is None) == (expected[0] is None), (given, found)
            continue
        (layer, finding), advice = expected
        assert found == (layer, finding, advice)


def fourfold(figures, keys, inside=False):
    """Return figures, with those below some keys multiplied by four."""
    if isinstance(figures, dict):
        return {key: fourfold(value, keys, inside or key in keys) for key, value in figures.items()}
    if isinstance(figures, list):
        return [fourfold(each, keys, inside) for each in figures]
    return 4 * figures if inside and isinstance(figures, int | float) else figures


@pytest.mark.parametrize("name", SYMPTOMS)
@pytest.mark.parametrize(
    "keys", [LOSSES, {"norm"}, {"gradients", "gradient_norm"}], ids=["losses", "norms", "gradients"]
)
def test_in_another_unit_the_same_trainings_have_the_symptom(keys, name):
    examine = SYMPTOMS[name][0]
    for given, *_ in CASES[name]:
        past = history(**given)
        other = replace(past, evaluations=fourfold(past.evaluations, keys), healths=fourfold(past.healths, keys))
        layer, _, *advice = examine(past) or ("none", "")
        assert (examine(other) or ("none", ""))[::2] == (layer, *advice), given


def test_a_rate_is_called_too_low_after_two_probes_however_far_apart():
    past = history(**LOW, layers=[layer(update_ratio=1e-6)])
    examine = SYMPTOMS["rate_too_low"][0]
    assert examine(replace(past, healths=past.healths[::3]))
    assert examine(replace(past, healths=past.healths[3:])) is None


def test_without_layers_the_first_outputs_are_the_inputs():
    given = {"probes": (0,), "loss": 10.5, "layers": []}
    layer, finding, _ = SYMPTOMS["first_weights_too_large"][0](history(**given, inputs=spread_out(4.0, 3.0)))
    assert (layer, finding.partition(", and ")[0]) == ("", "the initial loss is 10.5, from outputs of about 5")


def names(past):
    return [symptom.name for symptom in new_symptoms(past)]


DEAD = [layer("Relu1", dead=1.0, norm=None), layer(gradient_norm=0.0)]


def test_what_explains_another_symptom_and_what_was_named_before_are_left_out():
    past = history(layers=DEAD)
    (symptom,) = new_symptoms(past)
    assert (symptom.name, symptom.layer, symptom.iteration) == ("dead_units", "Relu1", 300)
    assert (past.known, names(past)) == ({"dead_units"}, [])
    assert names(history(layers=DEAD[1:])) == ["zero_gradient"]
    assert names(history(layers=DEAD[1:], known=["constant_inputs"])) == []


@pytest.mark.parametrize(
    ("loss", "seen", "planned", "expected"),
    [
        (1.3, (0.1, 0.1, 0.05, 0.1, 0.1), [(300, 0.1), (500, 0.04)], []),
        (1000.0, (0.1, 0.1, 0.05, 0.1, 0.1), [(500, 0.04)], []),
        (1001.0, (0.1, 0.1, 0.05, 0.1, 0.1), [(500, 0.04)], ["rate_too_high"]),
        (1.3, (0.1, 0.1, 0.05, 0.1, 0.1), [(400, 0.04), (500, 0.05)], ["rate_too_high"]),
        (1.3, (0.1, 0.1, 0.05, 0.1, 0.1), [], ["rate_too_high"]),
        (1.3, (0.05, 0.1, 0.1, 0.1, 0.1), [(500, 0.04)], ["rate_too_high"]),
        (1.3, (0.05, 0.05, 0.1, 0.1, 0.1), [(500, 0.04)], []),
        (1.3, 0.1, [(500, 0.04)], ["rate_too_high"]),
    ],
)
def test_a_loss_that_rose_with_the_rate_may_fall_with_it(loss, seen, planned, expected):
    given = {"loss": (0.9, 1.0, 1.1, 1.1, loss), "learning_rate": seen, "records": {"learning_rate": seen}}
    assert names(history(FIVE["probes"], **given, facts={"rates": planned})) == expected


def test_losses_below_zero_are_compared_from_the_least_one():
    given = {"loss": (-2.1, -2.0, -1.95, -1.95), "chance": -2.0, "least_loss": -3.0}
    (symptom,) = new_symptoms(history(**given))
    assert symptom.name == "loss_at_chance"
    assert symptom.finding == (
        "the loss stays at 1.05, and a constant prediction reaches 1 (losses counted from -3, the least possible)"
    )
    (symptom,) = new_symptoms(history(**given, layers=DEAD))
    assert symptom.finding == "100 % of its 16 units pass no gradient on, for any of 150 examples"
