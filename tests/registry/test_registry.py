"""Names of components: found, misspelt, of the wrong kind, with wrong parameters."""

from __future__ import annotations

import pytest

from mlpkit import ParameterError, PluginError, UnknownComponentError
from mlpkit.components.schema.context import CheckContext
from mlpkit.registry.registry import MOST_NAMES_SHOWN, Registry

LAYERS = (
    "Affine, Relu, Sigmoid, Tanh, LeakyRelu, Prelu, Elu, Selu, Gelu, Silu, Mish, Softplus, Parametric, Dropout, "
    "BatchNorm, LayerNorm, Flatten, Reshape, Conv2d, MaxPool2d"
)
LOSSES = (
    "SoftmaxWithLoss, SigmoidWithLoss, MeanSquaredError, MeanAbsoluteError, Huber, Pinball, Poisson, Ordinal, "
    "EnsembleLoss"
)
INITIALIZERS = (
    "zeros, full, normal, he_normal, he_uniform, glorot_normal, glorot_uniform, lecun_normal, lecun_uniform, "
    "fan_in_uniform, random_signs, orthogonal, unit_variance, convex_combination"
)
METRICS = (
    "accuracy, top_k, precision, recall, f1, roc_auc, confusion_matrix, mean_absolute_error, mean_squared_error, r2, "
    "coverage, log_loss, calibration_error"
)

PLUGIN = """
    from typing import Annotated
    from annotated_types import Ge
    from mlpkit import DataError, Layer, ParameterError, component, hookimpl

    class Swish(Layer):
        computed_by = "a processor of its own"

        def __init__(self, low: Annotated[int, Ge(0)] = 0, high: int = 1):
            if low > high:
                raise ParameterError("low", f"{low} is above high", expected=f"at most {high}", remedy="swap them")
            if high == 98:
                raise ParameterError("rank", "cannot be")
            if high == 99:
                raise RuntimeError("no luck")
            self.low = low

        def forward(self, x):
            return x

        def backward(self, dy):
            return dy

    @hookimpl
    def mlpkit_components():
        return [component("layer", "Swish", Swish)]
"""


MANY = """
    from mlpkit import Augmentation, Callback, component, hookimpl

    class Logger(Callback):
        pass

    class Same(Augmentation):
        def __call__(self, x, rng, out):
            return x

    @hookimpl
    def mlpkit_components():
        loggers = [component("callback", f"c{i:02}", Logger) for i in range(20)]
        return loggers + [component("augmentation", f"a{i:02}", Same) for i in range(21)]
"""


@pytest.fixture
def registry(distributions):
    distributions.install("acme", PLUGIN)
    return Registry.discover()


def faults(registry, reference, kinds=("layer",)):
    context = CheckContext(registry.resolve)
    assert registry.resolve(kinds, reference, ("layers", 0), context) is None
    return [(str(fault), fault.at_key) for fault in context.faults]


def test_bare_names_are_built_ins_and_others_carry_their_namespace(registry):
    assert registry.find(("layer",), "Affine").component.__module__ == "mlpkit_plugins.layers.affine"
    entry = registry.find(("layer",), "acme.Swish")
    assert (entry.name, entry.kind, entry.plugin.source) == ("acme.Swish", "layer", "acme")
    assert [field.name for field in entry.schema.fields] == ["low", "high"]
    assert registry.find(("layer",), "acme.Swish") is entry


def test_what_computes_a_component_is_known_of_those_that_were_asked_for(registry):
    assert registry.computed_by() == {}
    registry.find(("layer",), "Relu")
    assert registry.computed_by() == {}
    registry.find(("layer",), "acme.Swish")
    assert registry.computed_by() == {"acme.Swish": "a processor of its own"}


def test_all_components_are_listed_built_ins_first(registry):
    names = [entry.name for entry in registry.components()]
    assert names[0] == "Affine"
    assert names[-1] == "acme.Swish"
    assert len(names) == len(set(names))
    assert [entry.name for entry in registry.components(("layer", "loss"))] == [
        "Affine",
        "Relu",
        "Sigmoid",
        "Tanh",
        "LeakyRelu",
        "Prelu",
        "Elu",
        "Selu",
        "Gelu",
        "Silu",
        "Mish",
        "Softplus",
        "Parametric",
        "Dropout",
        "BatchNorm",
        "LayerNorm",
        "Flatten",
        "Reshape",
        "Conv2d",
        "MaxPool2d",
        "AveragePool2d",
        "Sequence",
        "Residual",
        "Parallel",
        "Repeat",
        "Scale",
        "Maxout",
        "DropConnect",
        "Columns",
        "ColumnAffine",
        "Embedding",
        "EnsembleView",
        "BatchEnsembleAffine",
        "EnsembleAffine",
        "Periodic",
        "SoftmaxWithLoss",
        "SigmoidWithLoss",
        "MeanSquaredError",
        "MeanAbsoluteError",
        "Huber",
        "Pinball",
        "Poisson",
        "Ordinal",
        "EnsembleLoss",
        "acme.Swish",
    ]


def test_as_many_names_as_are_shown_are_listed_whole(distributions):
    distributions.install("many", MANY)
    registry = Registry.discover()
    for kind, end in (("callback", "many.c19"), ("augmentation", "many.a19 and 1 more: see mlpkit plugins")):
        with pytest.raises(UnknownComponentError) as caught:
            registry.find((kind,), "many.wxyzwxyz")
        assert str(caught.value).endswith(f", {end}")


@pytest.mark.parametrize(
    ("kinds", "name", "message"),
    [
        (("layer",), "Afine", "unknown layer 'Afine'; did you mean 'Affine'?"),
        (("layer",), "relu", "unknown layer 'relu'; did you mean 'Relu'?"),
        (("layer",), "Swiss", "unknown layer 'Swiss'; did you mean 'acme.Swish'?"),
        (("layer",), "acme.Swsh", "unknown layer 'acme.Swsh'; did you mean 'acme.Swish'?"),
        (("layer",), "mlpkit.Affine", "unknown layer 'mlpkit.Affine'; did you mean 'Affine'?"),
        (("layer",), ".Affine", "unknown layer '.Affine'; did you mean 'Affine'?"),
        (("layer",), "Zzz", f"unknown layer 'Zzz'; installed: {LAYERS} and 16 more: see mlpkit plugins"),
        (("layer",), "", f"unknown layer ''; installed: {LAYERS} and 16 more: see mlpkit plugins"),
        (("nothing",), "Zzz", "unknown nothing 'Zzz'; none is installed"),
        (("layer", "loss"), "Softmax", "unknown layer or loss 'Softmax'; did you mean 'SoftmaxWithLoss'?"),
        (
            ("layer",),
            "acne.Swish",
            "layer 'acne.Swish' is missing: no plugin 'acne' is installed; did you mean 'acme'?",
        ),
        (
            ("layer",),
            "tensor.Conv",
            "layer 'tensor.Conv' is missing: no plugin 'tensor' is installed; "
            "install the package that provides tensor.* components, or add --plugin tensor.py if a file does",
        ),
        (
            ("layer",),
            "mlpkt.Affine",
            "layer 'mlpkt.Affine' is missing: no plugin 'mlpkt' is installed; "
            "install the package that provides mlpkt.* components, or add --plugin mlpkt.py if a file does",
        ),
        (
            ("layer",),
            "a.b.C",
            "layer 'a.b.C' is missing: no plugin 'a.b' is installed; "
            "install the package that provides a.b.* components",
        ),
        (
            ("dataset",),
            "data/t.csv",
            "dataset 'data/t.csv' is missing: no plugin 'data/t' is installed; "
            "write csv: {file: data/t.csv, target: TARGET}",
        ),
        (
            ("initializer",),
            "Relu",
            f"'Relu' is a layer, not an initializer; installed: {INITIALIZERS}",
        ),
        (("metric",), "zeros", f"'zeros' is an initializer, not a metric; installed: {METRICS}"),
        (
            ("layer", "loss"),
            "sgd",
            f"'sgd' is an optimizer, not a layer or a loss; installed: {LAYERS} and 25 more: see mlpkit plugins",
        ),
    ],
)
def test_a_name_that_is_not_there_is_explained(registry, kinds, name, message):
    for _ in range(2):  # a failure is not remembered as a success
        with pytest.raises(UnknownComponentError) as caught:
            registry.find(kinds, name)
        assert str(caught.value) == message


def test_a_list_of_names_that_just_fits_is_not_cut(tmp_path):
    names = [f"Layer{i:02}" for i in range(MOST_NAMES_SHOWN)]
    declared = "".join(f"    component('layer', '{name}', 'many:{name}'),\n" for name in names)
    text = "from mlpkit import component, hookimpl\n@hookimpl\ndef mlpkit_components():\n    return [\n"
    (tmp_path / "many.py").write_text(f"{text}{declared}    ]\n")
    registry = Registry.discover(plugins=[tmp_path / "many.py"])
    with pytest.raises(UnknownComponentError) as caught:
        registry.find(("layer",), "many.Zzz")
    assert str(caught.value).endswith(f"it provides {', '.join(f'many.{name}' for name in names)}")


def test_a_name_or_a_mapping_becomes_a_recipe(registry):
    for reference in ("acme.Swish", {"acme.Swish": None}, {"acme.Swish": {}}):
        context = CheckContext(registry.resolve)
        recipe = registry.resolve(("layer",), reference, (), context)
        assert context.faults == []
        assert recipe.reference() == {"acme.Swish": {"low": 0, "high": 1}}
        assert recipe().registered_name == "acme.Swish"


def test_components_inside_components_are_resolved_too(registry):
    context = CheckContext(registry.resolve)
    recipe = registry.resolve(("layer",), {"Affine": {"units": 3, "weights": {"normal": {"std": 2}}}}, (), context)
    assert recipe.reference() == {
        "Affine": {
            "units": 3,
            "weights": {"normal": {"std": 2.0, "mean": 0.0}},
            "bias": True,
            "biases": {"zeros": {}},
            "ntk": False,
        }
    }
    assert recipe().weights.std == 2.0


@pytest.mark.parametrize(
    ("reference", "message", "at_key"),
    [
        (
            {},
            "layers.0: a mapping with 0 keys is not a component; expected one key, the component's name, with its "
            "parameters below it",
            False,
        ),
        (
            {"Affine": None, "units": 50},
            "layers.0: a mapping with 2 keys is not a component; expected one key, the component's name, with its "
            "parameters below it; indent the parameters further than the name",
            False,
        ),
        (
            {"Affine": {"units": 50}, "Relu": None},
            "layers.0: a mapping with 2 keys is not a component; expected one key, the component's name, with its "
            "parameters below it; put '- ' before Relu",
            False,
        ),
        ({3: {}}, "layers.0.3: 3 is not a component's name; expected a layer", True),
        (3, "layers.0: 3 is not a component's name; expected a layer", True),
        ("Afine", "layers.0: unknown layer 'Afine'; did you mean 'Affine'?", False),
        ({"Afine": {}}, "layers.0.Afine: unknown layer 'Afine'; did you mean 'Affine'?", True),
        (
            {"Affine": 50},
            "layers.0.Affine: the parameters of Affine are not a mapping; "
            "expected {units, weights, bias, biases, ntk}; "
            "write Affine: {units: 50}",
            False,
        ),
        (
            {"Affine": [50]},
            "layers.0.Affine: the parameters of Affine are not a mapping; expected {units, weights, bias, biases, ntk}",
            False,
        ),
        ({"Relu": 0}, "layers.0.Relu: the parameters of Relu are not a mapping; expected no parameters", False),
        (
            {"acme.Swish": 3},
            "layers.0.acme.Swish: the parameters of acme.Swish are not a mapping; expected {low, high}; "
            "write acme.Swish: {low: 3}",
            False,
        ),
        (
            "Affine",
            "layers.0: missing parameter 'units' of layer Affine; expected units: an integer, at least 1, or auto",
            True,
        ),
        (
            {"Affine": {"units": 3, "weights": "he_norm"}},
            "layers.0.Affine.weights: unknown initializer 'he_norm'; expected a number or an initializer; did you "
            "mean 'he_normal'?",
            False,
        ),
        (
            {"acme.Swish": {"low": 2}},
            "layers.0.acme.Swish.low: 2 is above high; expected at most 1; swap them",
            False,
        ),
        ({"acme.Swish": {"high": 98}}, "layers.0.acme.Swish: cannot be", False),
        (
            {"acme.Swish": {"high": 99}},
            "layers.0.acme.Swish: acme.Swish can't be built: RuntimeError: no luck (acme_plugin.py, line 15)",
            True,
        ),
    ],
)
def test_a_wrong_reference_is_explained(registry, reference, message, at_key):
    assert faults(registry, reference) == [(message, at_key)]


def test_a_broken_plugin_is_an_error_at_the_line_that_names_it(distributions):
    distributions.install("acme", "import no_such_library")
    reason = (
        "the plugin 'acme' (acme 1.2) is broken: ModuleNotFoundError: No module named 'no_such_library' "
        "(acme_plugin.py, line 1)"
    )
    registry = Registry.discover()
    assert faults(registry, "acme.Swish") == [(f"layers.0: {reason}", False)]
    assert faults(registry, {"acme.Swish": {}}) == [(f"layers.0.acme.Swish: {reason}", True)]
    with pytest.raises(PluginError) as caught:
        registry.create("layer", "acme.Swish")
    assert str(caught.value) == reason


def test_creates_components_from_references_and_lets_built_ones_pass(registry):
    assert registry.create("layer", {"Affine": {"units": 3}}).units == 3
    layer = registry.create("layer", "Relu")
    assert registry.create("layer", layer) is layer
    assert registry.create("layer", "Relu") is not layer


@pytest.mark.parametrize(
    ("reference", "error", "message"),
    [
        ("Afine", UnknownComponentError, "unknown layer 'Afine'; did you mean 'Affine'?"),
        (
            "sgd",
            UnknownComponentError,
            f"'sgd' is an optimizer, not a layer; installed: {LAYERS} and 16 more: see mlpkit plugins",
        ),
        (
            {"Affine": {"units": 0}},
            ParameterError,
            "Affine.units: 0 is out of range; expected an integer, at least 1, or auto",
        ),
        (
            "Affine",
            ParameterError,
            "layer: missing parameter 'units' of layer Affine; expected units: an integer, at least 1, or auto",
        ),
        (
            {"acme.Swish": {"low": 2}},
            ParameterError,
            "acme.Swish.low: 2 is above high; expected at most 1; swap them",
        ),
        (
            {"acme.Swish": {"high": 99}},
            ParameterError,
            "acme.Swish: acme.Swish can't be built: RuntimeError: no luck (acme_plugin.py, line 15)",
        ),
        ({}, UnknownComponentError, f"unknown layer ''; installed: {LAYERS} and 16 more: see mlpkit plugins"),
    ],
)
def test_creating_what_can_not_be_is_an_error(registry, reference, error, message):
    with pytest.raises(error) as caught:
        registry.create("layer", reference)
    assert str(caught.value) == message


def test_the_plugins_in_use_are_those_that_were_asked_for(registry):
    assert registry.used() == []
    registry.find(("layer",), "Relu")
    registry.find(("layer",), "Affine")
    assert [plugin.namespace for plugin in registry.used()] == ["mlpkit"]
    registry.find(("layer",), "acme.Swish")
    assert [plugin.namespace for plugin in registry.used()] == ["mlpkit", "acme"]


def test_each_reason_for_slowness_comes_with_its_components(distributions):
    code = "".join(
        f"class {name}(Layer):\n"
        f"    slow_because = {reason!r}\n"
        "    def forward(self, x):\n        return x\n"
        "    def backward(self, dy):\n        return dy\n"
        for name, reason in (("A", "it is old"), ("B", ""), ("C", "it is new"), ("D", "it is old"))
    )
    declared = "return [component('layer', each.__name__, each) for each in (A, B, C, D)]"
    hook = f"@hookimpl\ndef mlpkit_components():\n    {declared}\n"
    distributions.install("acme", f"from mlpkit import Layer, component, hookimpl\n{code}{hook}")
    registry = Registry.discover()
    for name in ("acme.D", "acme.B", "acme.A", "acme.C"):
        registry.find(("layer",), name)
    assert registry.slow_because() == {"it is old": ["acme.D", "acme.A"], "it is new": ["acme.C"]}
