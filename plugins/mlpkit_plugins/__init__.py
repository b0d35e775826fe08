"""The built-in components, registered through the same hook as other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit import component, hookimpl

if TYPE_CHECKING:
    from mlpkit.components.hook import ComponentDeclaration


@hookimpl
def mlpkit_components() -> list[ComponentDeclaration]:
    """Return the built-in components."""
    return [
        component(
            "layer", "Affine", "mlpkit_plugins.layers.affine:Affine", aliases=("Dense", "Linear", "FullyConnected")
        ),
        component("layer", "Relu", "mlpkit_plugins.layers.relu:Relu"),
        component("layer", "Sigmoid", "mlpkit_plugins.layers.sigmoid:Sigmoid"),
        component("layer", "Tanh", "mlpkit_plugins.layers.tanh:Tanh"),
        component("layer", "LeakyRelu", "mlpkit_plugins.layers.leaky_relu:LeakyRelu"),
        component("layer", "Prelu", "mlpkit_plugins.layers.prelu:Prelu"),
        component("layer", "Elu", "mlpkit_plugins.layers.elu:Elu"),
        component("layer", "Selu", "mlpkit_plugins.layers.selu:Selu"),
        component("layer", "Gelu", "mlpkit_plugins.layers.gelu:Gelu"),
        component("layer", "Silu", "mlpkit_plugins.layers.silu:Silu"),
        component("layer", "Mish", "mlpkit_plugins.layers.mish:Mish"),
        component("layer", "Softplus", "mlpkit_plugins.layers.softplus:Softplus"),
        component("layer", "Parametric", "mlpkit_plugins.layers.parametric:Parametric"),
        component("layer", "Dropout", "mlpkit_plugins.layers.dropout:Dropout"),
        component(
            "layer",
            "BatchNorm",
            "mlpkit_plugins.layers.batch_norm:BatchNorm",
            aliases=("BatchNormalization", "BatchNorm1d", "BatchNorm2d"),
        ),
        component("layer", "LayerNorm", "mlpkit_plugins.layers.layer_norm:LayerNorm"),
        component("layer", "Flatten", "mlpkit_plugins.layers.flatten:Flatten"),
        component("layer", "Reshape", "mlpkit_plugins.layers.reshape:Reshape"),
        component("layer", "Conv2d", "mlpkit_plugins.layers.conv2d:Conv2d"),
        component("layer", "MaxPool2d", "mlpkit_plugins.layers.max_pool2d:MaxPool2d", aliases=("MaxPooling2D",)),
        component("layer", "AveragePool2d", "mlpkit_plugins.layers.average_pool2d:AveragePool2d"),
        component("layer", "Sequence", "mlpkit_plugins.layers.sequence:Sequence", aliases=("Sequential",)),
        component("layer", "Residual", "mlpkit_plugins.layers.residual:Residual", aliases=("SkipConnection",)),
        component("layer", "Repeat", "mlpkit_plugins.layers.repeat:Repeat"),
        component("layer", "Scale", "mlpkit_plugins.layers.scale:Scale"),
        component("layer", "Maxout", "mlpkit_plugins.layers.maxout:Maxout"),
        component("layer", "DropConnect", "mlpkit_plugins.layers.drop_connect:DropConnect"),
        component("layer", "Columns", "mlpkit_plugins.layers.columns:Columns"),
        component("layer", "ColumnAffine", "mlpkit_plugins.layers.column_affine:ColumnAffine"),
        component("layer", "Embedding", "mlpkit_plugins.layers.embedding:Embedding"),
        component("layer", "EnsembleView", "mlpkit_plugins.layers.ensemble_view:EnsembleView"),
        component("layer", "BatchEnsembleAffine", "mlpkit_plugins.layers.batch_ensemble_affine:BatchEnsembleAffine"),
        component("layer", "EnsembleAffine", "mlpkit_plugins.layers.ensemble_affine:EnsembleAffine"),
        component("layer", "Periodic", "mlpkit_plugins.layers.periodic:Periodic"),
        component(
            "loss",
            "SoftmaxWithLoss",
            "mlpkit_plugins.losses.softmax_with_loss:SoftmaxWithLoss",
            aliases=(
                "CrossEntropy",
                "CrossEntropyLoss",
                "NLLLoss",
                "CategoricalCrossentropy",
                "SparseCategoricalCrossentropy",
            ),
        ),
        component(
            "loss",
            "SigmoidWithLoss",
            "mlpkit_plugins.losses.sigmoid_with_loss:SigmoidWithLoss",
            aliases=("BCELoss", "BCEWithLogitsLoss", "BinaryCrossentropy"),
        ),
        component(
            "loss",
            "MeanSquaredError",
            "mlpkit_plugins.losses.mean_squared_error:MeanSquaredError",
            aliases=("MSELoss", "L2Loss"),
        ),
        component(
            "loss",
            "MeanAbsoluteError",
            "mlpkit_plugins.losses.mean_absolute_error:MeanAbsoluteError",
            aliases=("L1Loss", "MAELoss"),
        ),
        component("loss", "Huber", "mlpkit_plugins.losses.huber:Huber", aliases=("SmoothL1Loss",)),
        component("loss", "Pinball", "mlpkit_plugins.losses.pinball:Pinball", aliases=("QuantileLoss",)),
        component("loss", "Poisson", "mlpkit_plugins.losses.poisson:Poisson", aliases=("PoissonNLLLoss",)),
        component("loss", "Ordinal", "mlpkit_plugins.losses.ordinal:Ordinal"),
        component("loss", "EnsembleLoss", "mlpkit_plugins.losses.ensemble_loss:EnsembleLoss"),
        component("optimizer", "sgd", "mlpkit_plugins.optimizers.sgd:Sgd"),
        component("optimizer", "adam", "mlpkit_plugins.optimizers.adam:Adam", default=True),
        component("optimizer", "adamw", "mlpkit_plugins.optimizers.adamw:Adamw"),
        component("optimizer", "nadamw", "mlpkit_plugins.optimizers.nadamw:Nadamw"),
        component("optimizer", "rmsprop", "mlpkit_plugins.optimizers.rmsprop:Rmsprop"),
        component("optimizer", "adagrad", "mlpkit_plugins.optimizers.adagrad:Adagrad"),
        component("optimizer", "lion", "mlpkit_plugins.optimizers.lion:Lion"),
        component("optimizer", "muon", "mlpkit_plugins.optimizers.muon:Muon"),
        component("optimizer", "soap", "mlpkit_plugins.optimizers.soap:Soap"),
        component(
            "optimizer",
            "schedule_free_adamw",
            "mlpkit_plugins.optimizers.schedule_free_adamw:ScheduleFreeAdamw",
        ),
        component("schedule", "constant", "mlpkit_plugins.schedules.constant:Constant"),
        component("schedule", "one_cycle", "mlpkit_plugins.schedules.one_cycle:OneCycle", aliases=("OneCycleLR",)),
        component("schedule", "step", "mlpkit_plugins.schedules.step:Step", aliases=("StepLR", "MultiStepLR")),
        component(
            "schedule",
            "exponential",
            "mlpkit_plugins.schedules.exponential:Exponential",
            aliases=("ExponentialLR", "ExponentialDecay"),
        ),
        component(
            "schedule", "cosine", "mlpkit_plugins.schedules.cosine:Cosine", aliases=("CosineAnnealingLR", "CosineDecay")
        ),
        component("schedule", "warmup", "mlpkit_plugins.schedules.warmup:Warmup"),
        component("schedule", "coslog", "mlpkit_plugins.schedules.coslog:Coslog"),
        component("schedule", "flat_cosine", "mlpkit_plugins.schedules.flat_cosine:FlatCosine"),
        component("initializer", "zeros", "mlpkit_plugins.initializers.zeros:Zeros"),
        component("initializer", "full", "mlpkit_plugins.initializers.full:Full", aliases=("constant", "ones")),
        component("initializer", "normal", "mlpkit_plugins.initializers.normal:Normal", aliases=("gaussian",)),
        component(
            "initializer", "he_normal", "mlpkit_plugins.initializers.he_normal:HeNormal", aliases=("kaiming_normal",)
        ),
        component(
            "initializer",
            "he_uniform",
            "mlpkit_plugins.initializers.he_uniform:HeUniform",
            aliases=("kaiming_uniform",),
        ),
        component(
            "initializer",
            "glorot_normal",
            "mlpkit_plugins.initializers.glorot_normal:GlorotNormal",
            aliases=("xavier_normal",),
        ),
        component(
            "initializer",
            "glorot_uniform",
            "mlpkit_plugins.initializers.glorot_uniform:GlorotUniform",
            aliases=("xavier_uniform",),
        ),
        component("initializer", "lecun_normal", "mlpkit_plugins.initializers.lecun_normal:LecunNormal"),
        component("initializer", "lecun_uniform", "mlpkit_plugins.initializers.lecun_uniform:LecunUniform"),
        component("initializer", "fan_in_uniform", "mlpkit_plugins.initializers.fan_in_uniform:FanInUniform"),
        component("initializer", "random_signs", "mlpkit_plugins.initializers.random_signs:RandomSigns"),
        component("initializer", "orthogonal", "mlpkit_plugins.initializers.orthogonal:Orthogonal"),
        component("initializer", "unit_variance", "mlpkit_plugins.initializers.unit_variance:UnitVariance"),
        component(
            "initializer", "convex_combination", "mlpkit_plugins.initializers.convex_combination:ConvexCombination"
        ),
        component(
            "encoding", "standardize", "mlpkit_plugins.encodings.standardize:Standardize", aliases=("StandardScaler",)
        ),
        component("encoding", "robust_smooth_clip", "mlpkit_plugins.encodings.robust_smooth_clip:RobustSmoothClip"),
        component(
            "encoding", "quantile", "mlpkit_plugins.encodings.quantile:Quantile", aliases=("QuantileTransformer",)
        ),
        component("encoding", "piecewise_linear", "mlpkit_plugins.encodings.piecewise_linear:PiecewiseLinear"),
        component("encoding", "min_max", "mlpkit_plugins.encodings.min_max:MinMax", aliases=("MinMaxScaler",)),
        component("encoding", "none", "mlpkit_plugins.encodings.no_encoding:NoEncoding"),
        component("category_encoding", "one_hot", "mlpkit_plugins.category_encodings.one_hot:OneHot"),
        component("category_encoding", "ordinal", "mlpkit_plugins.category_encodings.ordinal:Ordinal"),
        component("category_encoding", "index", "mlpkit_plugins.category_encodings.index:Index"),
        component("category_encoding", "sign", "mlpkit_plugins.category_encodings.sign:Sign"),
        component("metric", "accuracy", "mlpkit_plugins.metrics.accuracy:Accuracy"),
        component("metric", "top_k", "mlpkit_plugins.metrics.top_k:TopK"),
        component("metric", "precision", "mlpkit_plugins.metrics.precision:Precision"),
        component("metric", "recall", "mlpkit_plugins.metrics.recall:Recall"),
        component("metric", "f1", "mlpkit_plugins.metrics.f1:F1"),
        component("metric", "roc_auc", "mlpkit_plugins.metrics.roc_auc:RocAuc"),
        component("metric", "confusion_matrix", "mlpkit_plugins.metrics.confusion_matrix:ConfusionMatrix"),
        component("metric", "mean_absolute_error", "mlpkit_plugins.metrics.mean_absolute_error:MeanAbsoluteError"),
        component("metric", "mean_squared_error", "mlpkit_plugins.metrics.mean_squared_error:MeanSquaredError"),
        component("metric", "r2", "mlpkit_plugins.metrics.r2:R2"),
        component("metric", "coverage", "mlpkit_plugins.metrics.coverage:Coverage"),
        component("augmentation", "shift", "mlpkit_plugins.augmentations.shift:Shift"),
        component("augmentation", "flip", "mlpkit_plugins.augmentations.flip:Flip"),
        component("augmentation", "rotation", "mlpkit_plugins.augmentations.rotation:Rotation"),
        component("augmentation", "elastic", "mlpkit_plugins.augmentations.elastic:Elastic"),
        component("callback", "csv_logger", "mlpkit_plugins.callbacks.csv_logger:CsvLogger"),
        component("callback", "tensorboard", "mlpkit_plugins.callbacks.tensorboard:Tensorboard", extra="tensorboard"),
        component("callback", "mlflow", "mlpkit_plugins.callbacks.mlflow:Mlflow", extra="mlflow"),
        component("callback", "wandb", "mlpkit_plugins.callbacks.wandb:Wandb", extra="wandb"),
        component("dataset", "mnist", "mlpkit_plugins.datasets.mnist:Mnist"),
        component("dataset", "idx", "mlpkit_plugins.datasets.idx:Idx"),
        component("dataset", "csv", "mlpkit_plugins.datasets.csv:Csv"),
        component("dataset", "parquet", "mlpkit_plugins.datasets.parquet:Parquet", extra="parquet"),
        component("dataset", "npy", "mlpkit_plugins.datasets.npy:Npy"),
        component("dataset", "npz", "mlpkit_plugins.datasets.npz:Npz"),
        component("dataset", "frame", "mlpkit_plugins.datasets.frame:Frame", default=True),
        component("dataset", "in_memory", "mlpkit_plugins.datasets.in_memory:InMemory", default=True),
        component("dataset", "image_folder", "mlpkit_plugins.datasets.image_folder:ImageFolder", extra="images"),
        component("exporter", "c", "mlpkit_plugins.exporters.c_file:CFile"),
        component("exporter", "html", "mlpkit_plugins.exporters.html_file:HtmlFile"),
        component("exporter", "js", "mlpkit_plugins.exporters.js_file:JsFile"),
        component("exporter", "onnx", "mlpkit_plugins.exporters.onnx_file:OnnxFile", extra="onnx"),
        component("engine", "dask", "mlpkit_plugins.engines.dask:Dask", extra="dask"),
        component("engine", "mpi", "mlpkit_plugins.engines.mpi:Mpi", extra="mpi"),
        component("engine", "slurm", "mlpkit_plugins.engines.slurm:Slurm", extra="slurm"),
    ]
