# Written by docs/generate.py.
from typing import Any

from mlpkit_plugins.layers.affine import Affine as Affine
from mlpkit_plugins.layers.average_pool2d import AveragePool2d as AveragePool2d
from mlpkit_plugins.layers.batch_ensemble_affine import BatchEnsembleAffine as BatchEnsembleAffine
from mlpkit_plugins.layers.batch_norm import BatchNorm as BatchNorm
from mlpkit_plugins.layers.column_affine import ColumnAffine as ColumnAffine
from mlpkit_plugins.layers.columns import Columns as Columns
from mlpkit_plugins.layers.conv2d import Conv2d as Conv2d
from mlpkit_plugins.layers.drop_connect import DropConnect as DropConnect
from mlpkit_plugins.layers.dropout import Dropout as Dropout
from mlpkit_plugins.layers.elu import Elu as Elu
from mlpkit_plugins.layers.embedding import Embedding as Embedding
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine as EnsembleAffine
from mlpkit_plugins.layers.ensemble_view import EnsembleView as EnsembleView
from mlpkit_plugins.layers.flatten import Flatten as Flatten
from mlpkit_plugins.layers.gelu import Gelu as Gelu
from mlpkit_plugins.layers.layer_norm import LayerNorm as LayerNorm
from mlpkit_plugins.layers.leaky_relu import LeakyRelu as LeakyRelu
from mlpkit_plugins.layers.max_pool2d import MaxPool2d as MaxPool2d
from mlpkit_plugins.layers.maxout import Maxout as Maxout
from mlpkit_plugins.layers.mish import Mish as Mish
from mlpkit_plugins.layers.parallel import Parallel as Parallel
from mlpkit_plugins.layers.parametric import Parametric as Parametric
from mlpkit_plugins.layers.periodic import Periodic as Periodic
from mlpkit_plugins.layers.prelu import Prelu as Prelu
from mlpkit_plugins.layers.relu import Relu as Relu
from mlpkit_plugins.layers.repeat import Repeat as Repeat
from mlpkit_plugins.layers.reshape import Reshape as Reshape
from mlpkit_plugins.layers.residual import Residual as Residual
from mlpkit_plugins.layers.scale import Scale as Scale
from mlpkit_plugins.layers.selu import Selu as Selu
from mlpkit_plugins.layers.sequence import Sequence as Sequence
from mlpkit_plugins.layers.sigmoid import Sigmoid as Sigmoid
from mlpkit_plugins.layers.silu import Silu as Silu
from mlpkit_plugins.layers.softplus import Softplus as Softplus
from mlpkit_plugins.layers.tanh import Tanh as Tanh
from mlpkit_plugins.losses.ensemble_loss import EnsembleLoss as EnsembleLoss
from mlpkit_plugins.losses.huber import Huber as Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError as MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError as MeanSquaredError
from mlpkit_plugins.losses.ordinal import Ordinal as Ordinal
from mlpkit_plugins.losses.pinball import Pinball as Pinball
from mlpkit_plugins.losses.poisson import Poisson as Poisson
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss as SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss as SoftmaxWithLoss

def __getattr__(name: str) -> Any: ...  # the namespaces of plugins
def __dir__() -> list[str]: ...
