"""Symptoms of a training that goes wrong: how each is recognized in what a probe found, and what to try."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from mlpkit.training.health import Health, Symptom
from mlpkit.verbs.doctor.health_history import SETTLED_EVALUATIONS, SETTLED_STEPS, HealthHistory

FAR_ABOVE_CHANCE: Final = 10
"""A first loss that many times that of the best constant prediction: random predictions are far out of scale."""

BEYOND_RECOVERY: Final = 1000
"""A loss that many times that of the best constant prediction doesn't come back when the learning rate falls again."""

OUT_OF_SCALE: Final = 10
"""Initializers expect inputs of about 1; an order of magnitude more, or two less, is another scale."""

HARDLY: Final = 0.05
"""Of the loss of equal outputs, a part too small to learn by."""

FEW_EXAMPLES: Final = 8
"""Examples whose variance is known to 50 % only, √(2 / (n - 1)), which is too few to normalize by."""

HALF: Final = 0.5
"""A layer with half of its units saturated, or more than half dead, does the work of one half as wide."""

APART: Final = 1e4
"""A layer whose gradients are that many times smaller than another's doesn't move in a training of 10,000 steps."""

NOISY: Final = 1.5
"""A loss in training of that many times the loss in prediction is due to random numbers."""

SHRUNK: Final = 0.25
"""Parameters of less than that share of their first length have lost what initializers see to."""

CHECK_DATA: Final = "to check that inputs and targets belong together: mlpkit data SPEC"

NO_BETTER: Final = 0.98
"""A loss above this share of the best constant prediction's explains less than 2 % of it."""

LEARNED: Final = 0.9
"""A training loss below this share of the best constant prediction's has learned something of the rows."""

MOST_NAMED: Final = 5
"""Classes that a message names."""

TRIAL_STEPS: Final = 10
"""Fewer steps are a trial of the spec and teach a network little."""

USUAL_UPDATE: Final = 1e-3
"""What a step mostly changes parameters by, as a share of their length (Karpathy, CS231n, 2015)."""

THROWN: Final = 0.25
"""A step of that share of the parameters' first length throws them away: a few of them leave nothing of it."""

HELD: Final = 0.3
"""Parameters that decay keeps short: a gradient that points outwards as far as that would lengthen them."""

SHORTENED: Final = 0.65
STILL_MUCH: Final = 0.25
CARRIED_OVER: Final = 1.25

LARGE_RISE: Final = 0.1
"""A rise of the loss by a tenth of what chance costs is more than the noise of a minibatch."""

Finding = tuple[str, str, tuple[str, ...]]
"""Layer, finding and advice of a symptom."""


def new_symptoms(history: HealthHistory) -> list[Symptom]:
    """Return new symptoms, except ones that another explains; the history's ``known`` takes their names."""
    found: list[Symptom] = []
    waiting: set[str] = set()
    least = history.now.get("least_loss") or 0.0
    if least < 0:
        history = history.counted_from(least)
    for name, (examine, causes) in SYMPTOMS.items():
        if name in history.known or not (history.known | waiting).isdisjoint(causes):
            continue
        finding = examine(history)
        if finding is not None and name == "rate_too_high" and _may_recover(history):
            waiting.add(name)
        elif finding is not None:
            layer, words, advice = finding
            if least < 0 and "loss" in words:
                words += f" (losses counted from {least:.4g}, the least possible)"
            found.append(Symptom(name, layer, words, advice, history.iteration))
            history.known.add(name)
    return found


def inputs_not_scaled(history: HealthHistory) -> Finding | None:
    """Inputs far from a root mean square of 1, and the first layer with parameters passes that on."""
    inputs, first = history.now["inputs"]["largest"], next(_trained(history.now), None)
    if history.iteration > 0 or inputs is None or first is None:
        return None
    passed_on = _rms(first["outputs"])
    advice = (history.facts.scale_inputs or "inputs with mean 0 and standard deviation 1",)
    if inputs > OUT_OF_SCALE and passed_on > OUT_OF_SCALE:
        return "", f"an input has a root mean square of {inputs:.3g}, and {first['layer']} passes that on", advice
    if inputs < 1 / OUT_OF_SCALE**2 and passed_on < 1 / OUT_OF_SCALE**2:
        return "", f"no input has a root mean square above {inputs:.3g}", advice
    return None


def constant_inputs(history: HealthHistory) -> Finding | None:
    """Inputs that are the same in all rows."""
    if history.iteration > 0 or not history.now["inputs"]["all_equal"]:
        return None
    return "", f"all {history.now['rows']} rows that were looked at have the same inputs", (CHECK_DATA,)


def target_not_scaled(history: HealthHistory) -> Finding | None:
    """Values to predict that are far from what a network with new weights predicts, or far more spread out."""
    loss, chance = history.first_loss, history.chance
    if not history.facts.values or history.facts.scaled_values or loss is None or chance is None:
        return None
    advice = (history.facts.scale_target or "values to predict with mean 0 and standard deviation 1",)
    if history.iteration == 0 and loss > FAR_ABOVE_CHANCE * chance:
        return "", f"the initial loss is {loss:.3g}, and a constant prediction reaches {chance:.3g}", advice
    spread = history.healths[0]["spread"] or 0.0
    if history.settled and 0 < spread < 1 / OUT_OF_SCALE**2 and history.recently(_is_at_chance):
        return "", f"the initial predictions vary {100 * spread:.2g} % as much as the values", advice
    return None


def first_weights_too_large(history: HealthHistory) -> Finding | None:
    """First predictions that are far worse than a constant."""
    loss, chance = history.first_loss, history.chance
    if history.iteration > 0 or loss is None or chance is None or loss <= FAR_ABOVE_CHANCE * chance:
        return None
    layers = history.now["layers"]
    outputs = _rms(layers[-1]["outputs"] if layers else history.now["inputs"])
    if outputs**2 <= FAR_ABOVE_CHANCE:
        return None  # of the usual size; one frequent class, or a few far values, makes the constant's loss small
    first = f"the initial loss is {loss:.3g}, from outputs of about {outputs:.3g}"
    finding = f"{first}, and a constant prediction reaches {chance:.3g}"
    return "", finding, (*history.first_weights_advice(), "smaller initial weights")


def too_much_noise(history: HealthHistory) -> Finding | None:
    """A loss that is at chance in training alone: what layers draw at random drowns what is learned."""
    loss, chance = history.now["loss"], history.chance
    if chance is None:
        return None
    first = history.iteration == 0 and _is_noisy(history.now) and loss > FAR_ABOVE_CHANCE * chance
    if not first and not history.recently(_is_noisy):
        return None
    finding = f"the loss is {loss:.3g} in training and {history.now['prediction_loss']:.3g} in prediction"
    return "", f"{finding}; a constant prediction reaches {chance:.3g}", ("a lower rate of dropout",)


def bounded_outputs(history: HealthHistory) -> Finding | None:
    """A last layer whose bounds allow no output with a small loss, as if the loss applied no function."""
    bounded, least = history.now["bounded_loss"], history.now["least_loss"]
    chance = history.chance
    if bounded is None or least is None or chance is None or bounded - least <= LARGE_RISE * (chance - least):
        return None
    last = history.now["layers"][-1]["layer"]
    finding = f"within its bounds, the loss can't fall below {bounded:.3g}; without them, it can reach {least:.2f}"
    return last, finding, (f"the stack without {last}",)


def indistinct_targets(history: HealthHistory) -> Finding | None:
    """Targets so smooth that predictions without any error have hardly a smaller loss than equal ones."""
    level, least = history.now["level_loss"], history.now["least_loss"]
    if level is None or least is None or least < (1 - HARDLY) * level:
        return None
    finding = f"predictions without an error have a loss of {least:.4g}, and outputs of zero one of {level:.4g}"
    return "", finding, ("less smoothing of the targets",)


def batch_too_small(history: HealthHistory) -> Finding | None:
    """Layers that normalize over a minibatch of a few examples."""
    rows, layers = history.facts.slice_rows, history.facts.coupling
    if not layers or rows >= FEW_EXAMPLES:
        return None
    finding = f"it computes with the statistics of {rows} example{'s' if rows > 1 else ''} at a time"
    return layers[0], finding, ("--set training.batch_size=32",)


def identical_units(history: HealthHistory) -> Finding | None:
    """Units of a layer that start with the same weights, and so stay the same."""
    for layer in history.now["layers"]:
        if layer["dead"] == 1:
            return None  # all layers after it return the same
        if layer["identical"] and layer["norm"] is not None:
            finding = f"its {layer['units']} units return the same, get the same gradient, and so stay the same"
            return layer["layer"], finding, (*history.first_weights_advice(layer["layer"]), "random initial weights")
    return None


def dead_units(history: HealthHistory) -> Finding | None:
    """Units that pass on no gradient for any example."""
    layer = max(filter(_is_dead, history.now["layers"]), key=lambda layer: layer["dead"], default=None)
    if layer is None:
        return None
    units, rows = f"{_percent(layer['dead'])} of its {layer['units']} units", history.now["rows"]
    finding = f"{units} pass no gradient on, for any of {rows} examples"
    lower = (history.rate_advice(0.1),) if history.iteration > 0 else ()
    return layer["layer"], finding, (*history.first_weights_advice(), *lower, "an activation without flat parts")


def saturated_units(history: HealthHistory) -> Finding | None:
    """Units that let almost no gradient through."""
    layer = max(history.now["layers"], key=lambda layer: layer["saturated"] or 0.0, default=None)
    if layer is None or (layer["saturated"] or 0.0) < HALF:
        return None
    units = f"{_percent(layer['saturated'])} of its {layer['units']} units"
    finding = f"{units} let through less than 5 % of the gradient that they could"
    lower = (history.rate_advice(0.1),) if history.iteration > 0 else ()
    return layer["layer"], finding, (*history.first_weights_advice(), *lower, "a normalization before it")


def vanishing_gradient(history: HealthHistory) -> Finding | None:
    """Gradients that have all but vanished on their way back."""
    if not history.recently(lambda health: _gain_backwards(health) < 1 / APART):
        return None
    advice = ("steeper activations, skip connections, or normalizations between layers", "fewer layers")
    return *_gradients_at_the_ends(history.now), (*history.first_weights_advice(), *advice)


def exploding_gradient(history: HealthHistory) -> Finding | None:
    """Gradients that grow on their way back."""
    if _gain_backwards(history.now) < APART:
        return None
    advice = ("smaller initial weights", *history.clip_advice())
    return *_gradients_at_the_ends(history.now), (*history.first_weights_advice(), *advice)


def zero_gradient(history: HealthHistory) -> Finding | None:
    """A layer that never gets any gradient."""
    for layer in _trained(history.now):
        name = layer["layer"]
        if history.recently(lambda health, name=name: _layer(health, name).get("gradient_norm") == 0):  # type: ignore[misc]
            advice = (*history.first_weights_advice(), "to look at the layers after it, which pass nothing back")
            return name, "its gradient is exactly zero: it doesn't learn", advice
    return None


def diverging(history: HealthHistory) -> Finding | None:
    """Parameters that grow ever faster while the loss gets worse: they will soon overflow."""
    loss, first = history.now["loss"], history.first_loss
    advice = (history.rate_advice(0.1), *history.clip_advice())
    if history.iteration > 0 and loss is None:
        return "", "the loss is no longer finite", advice
    norms = [_length(health) for health in history.healths[-3:]]
    worse = loss is not None and first is not None and loss > 2 * first
    if len(norms) < 3 or not worse or any(after < 3 * before for before, after in pairwise(norms)):
        return None
    return "", f"the norm of all parameters grew from {' to '.join(f'{norm:.2g}' for norm in norms)}", advice


def rate_too_high(history: HealthHistory) -> Finding | None:
    """A loss that is worse than before training, or rises again and again though the rate doesn't."""
    loss, chance, first = history.now["loss"], history.chance, history.first_loss
    advice = (history.rate_advice(0.1), *history.clip_advice())
    if history.iteration > 0 and loss is not None and chance is not None and first is not None:
        long_enough = history.settled and loss > 1.2 * chance
        if loss > first and (long_enough or loss > FAR_ABOVE_CHANCE * chance):
            finding = f"the loss is {loss:.3g}, from {first:.3g} at first; a constant prediction reaches {chance:.3g}"
            return "", finding, advice
    change, length = _last_change(history.now), _length(history.healths[0])
    thrown = history.iteration > 0 and change > THROWN * length > 0 and not _is_noisy(history.now)
    if thrown and loss is not None and chance is not None and loss > 1.2 * chance:
        finding = f"a step changed the parameters by {_percent(change / length)} of their initial norm, and the loss is"
        return "", f"{finding} {loss:.3g}; a constant prediction reaches {chance:.3g}", advice
    records = [record for record in history.evaluations if "train_loss" in record][-10:]
    losses = [record["train_loss"] for record in records]
    scale = chance or max(losses, default=0.0)
    rises = [
        after
        for before, after in pairwise(records)
        if after["train_loss"] - before["train_loss"] > LARGE_RISE * scale
        and after["learning_rate"] <= before["learning_rate"]
    ]
    if len(rises) >= 3:
        shown = ", ".join(f"{loss:.3g}" for loss in losses[-5:])
        return "", f"the training loss rose in {len(rises)} of the last {len(losses) - 1} evaluations: {shown}", advice
    return None


def _may_recover(history: HealthHistory) -> bool:
    """Whether a loss that rose with the learning rate may still fall as the schedule lowers it."""
    loss, chance = history.now["loss"], history.chance
    beyond = loss is None or (chance is not None and loss > BEYOND_RECOVERY * chance)
    return history.awaits_lower_rate and not beyond


def rate_too_low(history: HealthHistory) -> Finding | None:
    """Updates so small that the whole training can't change the weights."""
    loss, first = history.now["loss"], history.first_loss
    moved = loss is not None and first is not None and loss < 0.95 * first
    if not history.settled or not loss or (moved and not _is_at_chance(history.now)):
        return None
    probes = [(health["iteration"], _largest_update(health)) for health in history.healths]
    changed = sum(ratio * (step - before) for (before, _), (step, ratio) in pairwise(probes))
    steps, largest = history.facts.total_steps or 10 * history.iteration, max(ratio for _, ratio in probes)
    if len(probes) < 2 or changed + probes[-1][1] * (steps - history.iteration) >= LARGE_RISE:
        return None
    finding = (
        f"a step changes no layer's parameters by more than {largest:.1e} of their norm, and the loss went from "
        f"{first:.4g} to {loss:.4g}"
    )
    return "", finding, (history.rate_advice(USUAL_UPDATE / largest if largest else 1000), "mlpkit tune-rate SPEC")


def shrunk_weights(history: HealthHistory) -> Finding | None:
    """Parameters that decay faster than they learn."""
    first, now = _length(history.healths[0]), _length(history.now)
    loss, chance = history.now["loss"], history.chance
    learned = loss is not None and chance is not None and loss < LEARNED * chance
    if not history.settled or (
        learned if now < SHRUNK * first else not _is_held_back(history, now / first if first else 1)
    ):
        return None
    finding = f"the norm of all parameters fell from {first:.3g} to {now:.3g}"
    if now >= SHRUNK * first:
        finding += f", although the gradient would increase it, and the loss stays at {loss:.3g}"
    return "", finding, ("a smaller weight decay",)


def _is_held_back(history: HealthHistory, share: float) -> bool:
    """Whether parameters are kept from learning more by what shortens them, and validation doesn't gain by that."""
    loss, chance, both = history.now["loss"], history.chance, history.validated[-1:]
    if loss is None or chance is None or not both or share > SHORTENED or loss < STILL_MUCH * chance:
        return False
    carries_over = both[0]["validation_loss"] < CARRIED_OVER * both[0]["train_loss"]
    return carries_over and history.recently(lambda health: (health.get("outwards") or 0.0) > HELD, 3)


def constant_outputs(history: HealthHistory) -> Finding | None:
    """Predictions that don't depend on the inputs."""
    if not history.settled or not history.recently(lambda health: (health["spread"] or 0.0) < 1e-3):
        return None
    finding = f"no prediction varies by more than {history.now['spread']:.1e} over {history.now['rows']} examples"
    return (
        "",
        finding,
        (history.rate_advice(0.1), *history.first_weights_advice(), "inputs that differ, and are scaled"),
    )


def loss_at_chance(history: HealthHistory) -> Finding | None:
    """A loss that stays no better than that of the best constant prediction."""
    if (
        not history.settled
        or not history.recently(_is_at_chance, 3)
        or (_is_worse_than_chance(history) and history.still_improves)
    ):
        return None
    finding = (
        f"the loss stays at {history.now['loss']:.4g}, and a constant prediction reaches {history.now['chance']:.4g}"
    )
    return "", finding, (CHECK_DATA, history.rate_advice(10), history.rate_advice(0.1))


def too_few_steps(history: HealthHistory) -> Finding | None:
    """A training that ends before the loss is better than that of the best constant prediction."""
    steps = history.iteration
    over = steps >= TRIAL_STEPS and steps == history.facts.total_steps
    approaches = _is_worse_than_chance(history) and history.still_improves
    if not over or not (approaches if history.settled else _is_at_chance(history.now)):
        return None
    loss, chance = history.now["loss"], history.now["chance"]
    finding = f"after all {steps} steps the loss is {loss:.4g}, and a constant prediction reaches {chance:.4g}"
    smaller = "a smaller batch_size, for more steps per epoch" if history.facts.steps_per_epoch < SETTLED_STEPS else ""
    return "", finding, tuple(filter(None, (history.facts.longer, history.rate_advice(10), smaller)))


def nothing_carries_over(history: HealthHistory) -> Finding | None:
    """A network that learns the training rows, and was never better than a constant on validation rows."""
    evaluations, chance, validation_chance = history.validated, history.chance, history.now["validation_chance"]
    if not history.settled or not evaluations or chance is None or validation_chance is None:
        return None
    train, best = evaluations[-1]["train_loss"], min(record["validation_loss"] for record in evaluations)
    if train > LEARNED * chance or best * NO_BETTER < validation_chance:
        return None
    finding = (
        f"the training loss is {train:.4g}, but the validation loss was never below {best:.4g}, and a constant "
        f"prediction reaches {validation_chance:.4g}"
    )
    return "", finding, (CHECK_DATA, "other inputs", "more data")


def classes_never_predicted(history: HealthHistory) -> Finding | None:
    """Classes that are there, and that no example is predicted to be."""
    if not history.settled or not history.recently(lambda health: bool(health["missed"])):
        return None
    missed = [history.facts.class_name(number) for number in history.now["missed"]]
    shown = f"class {missed[0]}" if len(missed) == 1 else f"classes {', '.join(missed[:MOST_NAMED])}"
    others = f" and {len(missed) - MOST_NAMED} others" if len(missed) > MOST_NAMED else ""
    finding = f"none of {history.now['rows']} training rows is predicted as {shown}{others}"
    return "", finding, tuple(filter(None, (history.facts.balance, "more steps")))


def overfitting(history: HealthHistory) -> Finding | None:
    """A validation loss that gets worse while the training loss gets better."""
    evaluations, chance = history.validated, history.chance
    both = [(record["train_loss"], record["validation_loss"]) for record in evaluations]
    if history.facts.guarded or not history.settled or len(both) < SETTLED_EVALUATIONS or chance is None:
        return None
    train, validation = both[-1]
    best = min(loss for _, loss in both)
    at_best = next(position for position, (_, loss) in enumerate(both) if loss == best)
    worse = validation > 1.5 * best and validation - best > LARGE_RISE * chance and train < both[at_best][0]
    useless = validation > 1.1 * chance and train < 0.8 * chance
    if len(both) - at_best <= 2 or not (worse or useless):
        return None
    step = int(evaluations[at_best]["iteration"])
    finding = (
        f"the validation loss is {validation:.4g}, after {best:.4g} at step {step}; the training loss is {train:.4g}"
    )
    stopping = ("--set training.early_stopping.metric=loss", "--set training.best_weights=loss")
    return "", finding, (*stopping, "weight decay or dropout", "more data, or augmentations of it")


BAD_SCALES: Final = (
    "constant_inputs",
    "inputs_not_scaled",
    "target_not_scaled",
    "exploding_gradient",
    "too_much_noise",
    "first_weights_too_large",
)
BAD_UNITS: Final = ("identical_units", "dead_units", "saturated_units")
BAD_RATES: Final = ("diverging", "rate_too_high", "rate_too_low")
BAD_GRADIENTS: Final = ("vanishing_gradient", "zero_gradient")
BAD_LOSSES: Final = ("bounded_outputs", "indistinct_targets")
NO_LEARNING: Final = (*BAD_LOSSES, *BAD_SCALES, *BAD_UNITS, *BAD_RATES, *BAD_GRADIENTS, "shrunk_weights")

SYMPTOMS: Final[dict[str, tuple[Callable[[HealthHistory], Finding | None], tuple[str, ...]]]] = {
    "constant_inputs": (constant_inputs, ()),
    "inputs_not_scaled": (inputs_not_scaled, ()),
    "bounded_outputs": (bounded_outputs, ()),
    "indistinct_targets": (indistinct_targets, ()),
    "target_not_scaled": (target_not_scaled, ("inputs_not_scaled", "bounded_outputs")),
    "too_much_noise": (too_much_noise, ("inputs_not_scaled", "target_not_scaled")),
    "exploding_gradient": (exploding_gradient, ("inputs_not_scaled", "diverging", "rate_too_high")),
    "first_weights_too_large": (first_weights_too_large, BAD_SCALES),
    "batch_too_small": (batch_too_small, ()),
    "identical_units": (identical_units, ()),
    "diverging": (diverging, BAD_SCALES),
    "dead_units": (dead_units, (*BAD_SCALES, "identical_units", "diverging")),
    "rate_too_high": (rate_too_high, (*BAD_SCALES, "dead_units", "diverging")),
    "saturated_units": (saturated_units, ("identical_units", "bounded_outputs", *BAD_SCALES, *BAD_RATES)),
    "vanishing_gradient": (vanishing_gradient, (*BAD_UNITS, *BAD_RATES, *BAD_SCALES)),
    "zero_gradient": (zero_gradient, (*BAD_SCALES, *BAD_UNITS, *BAD_RATES, "vanishing_gradient")),
    "rate_too_low": (rate_too_low, (*BAD_UNITS, *BAD_GRADIENTS)),
    "shrunk_weights": (shrunk_weights, (*BAD_LOSSES, *BAD_SCALES, *BAD_UNITS)),
    "constant_outputs": (constant_outputs, NO_LEARNING),
    "loss_at_chance": (loss_at_chance, (*NO_LEARNING, "constant_outputs")),
    "too_few_steps": (too_few_steps, (*NO_LEARNING, "constant_outputs", "loss_at_chance")),
    "classes_never_predicted": (classes_never_predicted, (*NO_LEARNING, "constant_outputs", "loss_at_chance")),
    "nothing_carries_over": (nothing_carries_over, ("bounded_outputs", *BAD_RATES)),
    "overfitting": (overfitting, (*BAD_RATES, "nothing_carries_over")),
}
"""How each symptom is recognized, and the symptoms that explain it: after them it isn't reported."""


def _is_worse_than_chance(history: HealthHistory) -> bool:
    loss = history.now["loss"]
    return loss is not None and history.chance is not None and loss > history.chance


def _is_noisy(health: Health) -> bool:
    """Whether the loss is at chance in training, and far lower in prediction."""
    loss, prediction = health["loss"], health["prediction_loss"]
    return loss is not None and prediction is not None and loss > NOISY * prediction


def _is_at_chance(health: Health) -> bool:
    loss, chance = health["loss"], health["chance"]
    return loss is not None and bool(chance) and loss > NO_BETTER * chance


def _trained(health: Health) -> Iterator[dict[str, Any]]:
    """Yield the layers with trained parameters."""
    return (layer for layer in health["layers"] if layer["norm"] is not None)


def _layer(health: Health, name: str) -> dict[str, Any]:
    return next((layer for layer in health["layers"] if layer["layer"] == name), {})


def _reached(health: Health) -> list[dict[str, Any]]:
    """Return the layers with trained parameters that gradients reach."""
    return [layer for layer in _trained(health) if layer["gradients"] is not None]


def _length(health: Health) -> float:
    """Return the norm of all parameters."""
    return math.hypot(*(layer["norm"] for layer in _trained(health)))


def _largest_update(health: Health) -> float:
    """Return the largest share of its length by which a layer's parameters changed in the last step."""
    return max((layer["update_ratio"] or 0.0 for layer in _trained(health)), default=0.0)


def _last_change(health: Health) -> float:
    """Return the length of what the last step changed the parameters by."""
    return math.hypot(*((layer["update_ratio"] or 0.0) * layer["norm"] for layer in _trained(health)))


def _gradients_at_the_ends(health: Health) -> tuple[str, str]:
    """Return the name of the first of these layers, and how its gradients compare with the last's."""
    first, *_, last = _reached(health)
    finding = (
        f"its outputs get gradients of about {_rms(first['gradients']):.2g}, and the outputs of {last['layer']} of "
        f"about {_rms(last['gradients']):.2g}"
    )
    return first["layer"], finding


def _gain_backwards(health: Health) -> float:
    """Return the ratio of the gradients by the first layer's outputs to the gradients by the last's."""
    reached = _reached(health)
    if len(reached) < 2:
        return 1.0
    first, last = (_rms(layer["gradients"]) for layer in (reached[0], reached[-1]))
    return first / last if last > 0 and math.isfinite(first) else 1.0


def _rms(distribution: Mapping[str, Any] | None) -> float:
    if distribution is None or distribution["mean"] is None or distribution["std"] is None:
        return math.nan
    return math.hypot(distribution["mean"], distribution["std"])


def _is_dead(layer: Mapping[str, Any]) -> bool:
    """Whether more of a layer's units are dead than chance explains, by three standard deviations; or all are.

    A unit whose inputs hardly vary, such as one after low-frequency waves, is on for all rows or off for all: about
    half of such units are off, and the rest work.
    """
    return layer["dead"] is not None and layer["dead"] >= min(1.0, HALF + 3 * HALF / math.sqrt(layer["units"]))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
