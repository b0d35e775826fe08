"""Components with nothing wrong, which the broken ones differ from by a line."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from mlpkit import (
    Augmentation,
    Calibration,
    Callback,
    CategoryEncoding,
    Classes,
    DataError,
    Dataset,
    Description,
    Elementwise,
    Encoding,
    Engine,
    EngineMissingError,
    Exporter,
    Initializer,
    Labels,
    Layer,
    LocalWorkers,
    Loss,
    Metric,
    NotExportableError,
    Optimizer,
    Rate,
    Recipe,
    Schedule,
    ShapeError,
    TargetError,
    UsageError,
    Values,
    Verb,
)
from mlpkit.graph import evaluate, provenance_line


class Scale(Layer):
    """A factor for each input, y = w x."""

    def build(self, input_shape):
        self.w = self.parameter("w", input_shape, "he_normal", fans=(4, 4))
        return input_shape

    def forward(self, x):
        self.x = x
        return x * self.w.value

    def backward(self, dy):
        np.sum(self.x * dy, axis=0, out=self.w.grad)
        return dy * self.w.value

    def onnx(self, graph):
        return graph.op("Mul", graph.input, self.w)


class Square(Layer):
    """The square of each input, y = x²."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dy):
        return 2 * dy * self.x


class Cube(Elementwise):
    """The cube of each input, y = x³."""

    def function(self, x, out):
        return x**3

    def derivative(self, x, y, out):
        return np.multiply(3 * x, x, out=out)

    def onnx(self, graph):
        return graph.op("Pow", graph.input, 3.0)


class Noise(Layer):
    """Noise in training, y = x + 0.1 noise."""

    def forward(self, x):
        return x + 0.1 * self.rng.normal(size=x.shape).astype(x.dtype) if self.training else x

    def backward(self, dy):
        return dy


class Centre(Layer):
    """The inputs less their mean over the minibatch; in evaluation, less a running mean."""

    couples_examples = True
    centred = True

    def build(self, input_shape):
        self.mean = self.state("mean", input_shape, 0.0)
        return input_shape

    def forward(self, x):
        self.centred = self.training
        if not self.training:
            return x - self.mean.value
        mean = x.mean(axis=0) if len(x) else np.zeros_like(self.mean.value)
        self.mean.value[...] = 0.9 * self.mean.value + 0.1 * mean
        return x - mean

    def backward(self, dy):
        return dy - dy.mean(axis=0) if self.centred and len(dy) else dy

    def onnx(self, graph):
        return graph.op("Sub", graph.input, self.mean)


class Plus(Layer):
    """Adds to its input what the layers inside make of it, y = x + f(x).

    Args:
        layers: the layers inside.
    """

    def __init__(self, layers: list[Recipe[Layer]]) -> None:
        self.layers = layers

    def build(self, input_shape):
        self.inside = [recipe() for recipe in self.layers]
        for layer in self.inside:
            if self.child(layer, input_shape) != input_shape:
                raise ShapeError("a layer inside changes the shape")
        return input_shape

    def forward(self, x):
        y = x
        for layer in self.inside:
            y = layer.forward(y)
        return x + y

    def backward(self, dy):
        dx = dy.copy()
        for layer in reversed(self.inside):
            dx = layer.backward(dx)
        return dx + dy

    def onnx(self, graph):
        return graph.op("Add", graph.input, graph.chain(self.inside))

    @classmethod
    def examples(cls):
        return [({"layers": ["Sigmoid", "Sigmoid"]}, (4,))]


class MeanSquare(Loss):
    """Half the mean square error, Σ (x - t)² / 2 rows."""

    def build(self, input_shape, target):
        if target is not None and target != Values(input_shape):
            raise ShapeError(f"{input_shape} can't be compared with {target}")

    def forward(self, x, t):
        self.difference = x - t
        return float(np.square(self.difference).sum(dtype=np.float64)) / (2 * len(x))

    def backward(self, dloss=1.0):
        return self.difference * (dloss / len(self.difference))


class SquareOfProbabilities(MeanSquare):
    """Half the mean square error of the inputs, which are logits of what is predicted."""

    def predict(self, x):
        return 1 / (1 + np.exp(-x))

    def onnx(self, graph):
        return graph.op("Sigmoid", graph.input)


class TwoEnds(MeanSquare):
    """Half the mean square distance of two numbers from a single value."""

    def build(self, input_shape, target):
        if input_shape != (2,) or target not in {None, Values((1,))}:
            raise ShapeError(f"{input_shape} can't be compared with {target}")

    def prediction_names(self):
        return "low", "high"

    def point_prediction(self, prediction):
        return prediction[:, :1]

    def interval_prediction(self, prediction):
        return np.sort(prediction)

    @classmethod
    def examples(cls):
        return [({}, (2,))]


class WeightedSquare(MeanSquare):
    """Half the mean square error of rows that may have weights, Σ w (x - t)² / 2 Σ w."""

    takes_weights = True

    def forward(self, x, t, weights=None):
        super().forward(x, t)
        w = np.ones(len(x)) if weights is None else weights
        self.shares = (w / (w.sum() or 1.0)).reshape(-1, *(1 for _ in x.shape[1:]))
        return float((self.shares * np.square(self.difference, dtype=np.float64)).sum()) / 2

    def backward(self, dloss=1.0):
        return self.difference * (dloss * self.shares).astype(self.difference.dtype)


class SpreadOfErrors(MeanSquare):
    """Half the variance of the errors, which compares rows with each other."""

    couples_examples = True

    def forward(self, x, t):
        super().forward(x, t)
        self.difference = self.difference - self.difference.mean(axis=0)
        return float(np.square(self.difference).sum(dtype=np.float64)) / (2 * len(x))


class Momentum(Optimizer):
    """Gradient descent with momentum and weight decay.

    Args:
        learning_rate: the step length.
    """

    slots = ("v",)

    def __init__(self, learning_rate: Rate = 0.05) -> None:
        self.learning_rate = learning_rate

    def update(self, value, gradient, slots, step):
        v = slots["v"]
        if step.decay:
            value *= 1 - 0.01 * step.decay * step.learning_rate
        v *= 0.5
        v += gradient
        value -= step.learning_rate * v


class MomentumWithSchedule(Momentum):
    """Momentum whose learning rate follows a schedule.

    Args:
        learning_rate: the step length.
    """

    @classmethod
    def examples(cls):
        return [{"learning_rate": {"cosine": {"first": 0.05}}}]


class LaterIsLess(MomentumWithSchedule):
    """Gradient descent by whole parameters, in steps that become shorter beyond the schedule.

    Args:
        learning_rate: the step length.
    """

    sees = "parameters"

    def update(self, value, gradient, slots, step):
        done = step.progress.step / step.progress.total_steps + step.progress.epoch
        v = slots["v"]
        v += gradient / (1 + done + 1 / step.progress.total_steps)
        value -= step.learning_rate * (v / step.number + 0.01 * step.decay * value)

    @classmethod
    def examples(cls):
        falling = {"exponential": {"first": 0.05, "factor": 0.5}}
        return [*super().examples(), {"learning_rate": {"warmup": {"schedule": falling, "steps": 20}}}]


class Falling(Schedule):
    """A tenth of what is left of the training."""

    def __call__(self, progress):
        return 0.1 * (progress.total_steps - progress.step) / progress.total_steps


class Halved(Encoding):
    """Half the distance to the mean, y = (x - mean) / 2."""

    def fit(self, columns):
        counts = sum((~np.isnan(part)).sum(axis=0) for part in columns.parts())
        sums = sum(np.nan_to_num(part).sum(axis=0) for part in columns.parts())
        return {"mean": sums / np.maximum(counts, 1)}

    def encode(self, numbers, learned):
        return (numbers - learned["mean"]) / 2

    def onnx(self, graph, numbers, learned):
        return graph.op("Div", graph.op("Sub", numbers, learned["mean"]), np.array(2.0))


class Frequency(CategoryEncoding):
    """The share of the training rows that have the category."""

    holds = "numbers"

    def fit(self, column):
        counts = np.bincount(column.codes + 1, minlength=len(column.categories) + 1)
        return {"codebook": np.roll(counts, -1)[:, None] / len(column.codes)}


class Place(CategoryEncoding):
    """The place of the category among all, counted from 1, and 0 if it is missing."""

    holds = "categories"

    def fit(self, column):
        return {"codebook": np.roll(np.arange(len(column.categories) + 1), -1)[:, None]}


class Uniform(Initializer):
    """Numbers between 0 and 1."""

    def __call__(self, shape, fans, rng, dtype):
        return rng.uniform(size=shape).astype(dtype)


class Flatter(Calibration):
    """The square root of the probabilities of classes, p^½ / Σ p^½."""

    def build(self, target):
        if not isinstance(target, Classes):
            raise TargetError("classes alone have probabilities that add up to 1", expected="classes")
        self.power = self.state("power", (), 1.0)

    def fit(self, p, t, weights):
        self.power.value[...] = 0.5

    def predict(self, p):
        q = p**self.power.value
        return q / q.sum(axis=1, keepdims=True)

    def onnx(self, graph):
        q = graph.op("Pow", graph.input, self.power)
        return graph.op("Div", q, graph.op("ReduceSum", q, axes=[1], keepdims=1))


class AddNoise(Augmentation):
    """Normal noise, out = x + 0.1 noise."""

    def __call__(self, x, rng, out):
        out[...] = x + 0.1 * rng.normal(size=x.shape)
        return out


class Share(Metric):
    """The share of right predictions."""

    def __init__(self) -> None:
        self.right = 0
        self.seen = 0

    def expect_target(self, target):
        if not isinstance(target, Classes) or target.one_hot:
            raise ShapeError(f"a share of class numbers, and the data gives {target}")

    def update(self, prediction, t):
        self.right += int((prediction.argmax(axis=1) == t).sum())
        self.seen += len(t)

    def merge(self, other):
        self.right += other.right
        self.seen += other.seen

    def result(self):
        return self.right / self.seen


class WeightedShare(Share):
    """The share of right predictions, of rows that may have weights."""

    takes_weights = True

    def update(self, prediction, t, weights=None):
        w = np.ones(len(t)) if weights is None else weights
        self.right += float(w @ (prediction.argmax(axis=1) == t))
        self.seen += float(w.sum())


class Patience(Callback):
    """Asks to stop when the loss has risen for three steps."""

    def __init__(self) -> None:
        self.last = 1e9
        self.risen = 0

    def on_step(self, training, loss):
        self.risen = self.risen + 1 if loss > self.last else 0
        self.last = loss
        if self.risen == 3:
            training.stop("the loss rises")

    def state(self):
        return {"last": self.last, "risen": self.risen}

    def load_state(self, state):
        self.last, self.risen = state["last"], state["risen"]


class Losses(Callback):
    """Keeps the loss of each step in an array, and asks to stop at the first that is no lower than all before it."""

    def __init__(self) -> None:
        self.losses = np.zeros(0, np.float32)
        self.lowest = (math.inf, None)

    def on_step(self, training, loss):
        self.losses = np.append(self.losses, np.float32(loss))
        if loss >= self.lowest[0]:
            training.stop("the loss is no lower")
        self.lowest = min(self.lowest, (loss, training.progress.step))

    def state(self):
        return {"losses": self.losses, "lowest": self.lowest}

    def load_state(self, state):
        self.losses, self.lowest = state["losses"], state["lowest"]


class Points(Dataset):
    """Random points in three classes, scaled by the mean of the training points."""

    def describe(self):
        return Description((2,), Classes(3), {"train": 12, "validation": 5})

    def open(self, seed):
        rng = np.random.default_rng(seed)
        sizes = self.describe().sizes
        raw = {name: (rng.uniform(1, 2, size=(size, 2)), np.arange(size) % 3) for name, size in sizes.items()}
        self.mean = raw["train"][0].mean(axis=0)
        self.raw = {name: x for name, (x, _) in raw.items()}
        return {name: PointSplit(self.encode(x), t) for name, (x, t) in raw.items()}

    def encode(self, raw):
        return raw - self.mean

    def column_names(self):
        return ("width", "height")

    def from_columns(self, columns):
        for name in self.column_names():
            if name not in columns:
                raise DataError("the rows", "there is no such column", column=name)
        return np.column_stack([columns[name] for name in self.column_names()])

    def raw_rows(self, split, indices):
        return {name: self.raw[split][list(indices), column] for column, name in enumerate(self.column_names())}

    def onnx(self, graph):
        return graph.op("Sub", self.points(graph), self.mean)

    def points(self, graph):
        columns = [graph.op("Unsqueeze", graph.feed(name, "float64"), np.array([1])) for name in ("width", "height")]
        return graph.op("Concat", *columns, axis=1)

    def encoder_state(self):
        return {"mean": self.mean.tolist()}

    def load_encoder_state(self, state):
        self.mean = np.array(state["mean"])


class PointSplit:
    """Points in memory."""

    def __init__(self, x, t):
        self.x, self.t = x, t

    def __len__(self):
        return len(self.x)

    def take(self, indices, out):
        out[0][...], out[1][...] = self.x[indices], self.t[indices]


class WeightedPoints(Points):
    """Points that have weights."""

    def describe(self):
        return super().describe()._replace(weighted=True)

    def open(self, seed):
        return {name: WeightedSplit(split.x, split.t) for name, split in super().open(seed).items()}


class WeightedSplit(PointSplit):
    """Points in memory, and their weights."""

    def take(self, indices, out):
        super().take(indices, out[:2])
        out[2][...] = indices % 4


class LabelledPoints(Points):
    """Points with two labels, of which both, one or none may hold."""

    def describe(self):
        return super().describe()._replace(target=Labels(2))

    def open(self, seed):
        labels = np.array([[0, 0], [0, 1], [1, 1]])
        return {name: PointSplit(split.x, labels[split.t]) for name, split in super().open(seed).items()}


class OneHotPoints(Points):
    """Points whose classes are rows of zeros and a one."""

    def describe(self):
        return super().describe()._replace(target=Classes(3, one_hot=True))

    def open(self, seed):
        return {name: PointSplit(split.x, np.eye(3)[split.t]) for name, split in super().open(seed).items()}


class Count(Verb):
    """Counts the files of a folder.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self):
        if not Path(self.folder).is_dir():
            raise UsageError(f"there is no folder {self.folder}")
        print(len(list(Path(self.folder).iterdir())))

    @classmethod
    def examples(cls):
        return [{"folder": "."}, {"folder": "none"}]


class Listing(Exporter):
    """The operators of a model as text; compute has mlpkit evaluate them."""

    ending = ".listing"
    shows_values = True
    known = ("ArgMax", "Cast", "Concat", "Gemm", "LabelEncoder", "Relu", "Reshape", "Softmax")

    def write(self, model, file):
        unknown = [node.operator for node in model.graph.nodes if node.operator not in self.known]
        if unknown:
            raise NotExportableError(f"there is no operator {unknown[0]}")
        lines = [f"{node.operator} {' '.join(node.inputs)}" for node in model.graph.nodes]
        file.write_text("\n".join([provenance_line(model.provenance), *lines]), "utf-8")

    def compute(self, file, model, feeds, names):
        found = evaluate(model.graph, feeds)
        return {name: found[name] for name in names}


class WithoutEngine(Listing):
    """A listing that nothing here can evaluate."""

    def compute(self, file, model, feeds, names):
        raise EngineMissingError("there is nothing to evaluate a listing with")


class Untested(Exporter):
    """A listing that is never evaluated."""

    ending = ".list2"
    write = Listing.write
    known = Listing.known


class Processes(Engine):
    """Trains in processes on this machine."""

    def start(self, most):
        return LocalWorkers(most)


class ShareBetween(Metric):
    """The share of values between two ends."""

    sees = "interval"

    def __init__(self) -> None:
        self.inside = 0
        self.seen = 0

    def expect_target(self, target):
        if target != Values((1,)):
            raise ShapeError(f"a share of single values, and the data gives {target}")

    def update(self, prediction, t):
        assert (prediction[:, 0] <= prediction[:, 1]).all()
        self.inside += int(((prediction[:, :1] <= t) & (t <= prediction[:, 1:])).sum())
        self.seen += len(t)

    def merge(self, other):
        self.inside += other.inside
        self.seen += other.seen

    def result(self):
        return self.inside / self.seen

    @classmethod
    def examples(cls):
        return [({}, Values((1,)))]
