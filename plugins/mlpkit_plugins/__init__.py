"""The built-in components, registered through the same hook as other plugins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mlpkit import component, hookimpl

if TYPE_CHECKING:
    from mlpkit.components.hook import ComponentDeclaration

NAMES: Final = {
    "layer": "Affine Relu Sigmoid Tanh LeakyRelu Prelu Elu Selu Gelu Silu Mish Softplus Parametric Dropout BatchNorm "
    "LayerNorm Flatten Reshape Conv2d MaxPool2d AveragePool2d Sequence Residual Parallel Repeat Scale Maxout "
    "DropConnect Columns ColumnAffine Embedding EnsembleView BatchEnsembleAffine EnsembleAffine Periodic",
    "loss": "SoftmaxWithLoss SigmoidWithLoss MeanSquaredError MeanAbsoluteError Huber Pinball Poisson Ordinal "
    "EnsembleLoss",
    "optimizer": "sgd adam adamw nadamw rmsprop adagrad lion muon soap schedule_free_adamw",
    "schedule": "constant one_cycle step exponential cosine warmup coslog flat_cosine",
    "initializer": "zeros full normal he_normal he_uniform glorot_normal glorot_uniform lecun_normal lecun_uniform "
    "fan_in_uniform random_signs orthogonal unit_variance convex_combination",
    "encoding": "standardize robust_smooth_clip quantile piecewise_linear min_max none",
    "category_encoding": "one_hot ordinal index sign",
    "metric": "accuracy top_k precision recall f1 roc_auc confusion_matrix mean_absolute_error mean_squared_error r2 "
    "coverage log_loss calibration_error",
    "calibration": "temperature isotonic",
    "augmentation": "shift flip rotation elastic",
    "callback": "csv_logger tensorboard mlflow wandb",
    "dataset": "mnist idx csv parquet npy npz frame in_memory image_folder",
    "exporter": "c html js onnx",
    "engine": "dask mpi slurm",
}
"""The names of the components of each kind."""

ALIASES: Final = {
    "Affine": "Dense Linear FullyConnected",
    "BatchNorm": "BatchNormalization BatchNorm1d BatchNorm2d",
    "MaxPool2d": "MaxPooling2D",
    "Sequence": "Sequential",
    "Residual": "SkipConnection",
    "Parallel": "Concatenate Concat",
    "SoftmaxWithLoss": "CrossEntropy CrossEntropyLoss NLLLoss CategoricalCrossentropy SparseCategoricalCrossentropy",
    "SigmoidWithLoss": "BCELoss BCEWithLogitsLoss BinaryCrossentropy",
    "MeanSquaredError": "MSELoss L2Loss",
    "MeanAbsoluteError": "L1Loss MAELoss",
    "Huber": "SmoothL1Loss",
    "Pinball": "QuantileLoss",
    "Poisson": "PoissonNLLLoss",
    "one_cycle": "OneCycleLR",
    "step": "StepLR MultiStepLR",
    "exponential": "ExponentialLR ExponentialDecay",
    "cosine": "CosineAnnealingLR CosineDecay",
    "full": "constant ones",
    "normal": "gaussian",
    "he_normal": "kaiming_normal",
    "he_uniform": "kaiming_uniform",
    "glorot_normal": "xavier_normal",
    "glorot_uniform": "xavier_uniform",
    "standardize": "StandardScaler",
    "quantile": "QuantileTransformer",
    "min_max": "MinMaxScaler",
}
"""What other libraries call them."""

EXTRAS: Final = {"image_folder": "images"} | {
    name: name for name in ("tensorboard", "mlflow", "wandb", "parquet", "onnx", "dask", "mpi", "slurm")
}
"""The extras that install further packages for them."""

DEFAULTS: Final = ("adam", "frame", "in_memory", "one_cycle", "log_loss", "calibration_error")
"""The components that are taken if none of their kind is given, as by ``mlpkit.fit``, or to judge a calibration."""


@hookimpl
def mlpkit_components() -> list[ComponentDeclaration]:
    """Return the built-in components."""
    return [_declared(kind, name) for kind, names in NAMES.items() for name in names.split()]


def _declared(kind: str, name: str) -> ComponentDeclaration:
    """Declare a component: ``MaxPool2d`` is the class of that name in ``layers/max_pool2d.py``."""
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    if kind == "exporter":
        module = f"{name}_file"
    elif name == "none":  # would be a poor name of a class
        module = "no_encoding"
    folder = "losses" if kind == "loss" else f"{kind}s"
    class_name = "".join(word.capitalize() for word in module.split("_"))
    return component(
        kind,
        name,
        f"{__name__}.{folder}.{module}:{class_name}",
        extra=EXTRAS.get(name),
        default=name in DEFAULTS,
        aliases=ALIASES.get(name, "").split(),
    )
