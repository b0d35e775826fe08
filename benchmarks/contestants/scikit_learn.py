"""scikit-learn's ``MLPClassifier``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from contestants.contestant import Arrays, Contestant, check_loss
from contestants.task import BETA1, BETA2, CLASSES, EPSILON

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contestants.task import Task


class ScikitLearn(Contestant):
    """Takes each step with ``partial_fit``, without the checks that scikit-learn lets users switch off."""

    def __init__(self, task: Task, images: NDArray[np.uint8], labels: NDArray[np.int64], parameters: Arrays) -> None:
        sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
        self.x, self.labels = np.multiply(images, np.float32(1 / 255)), labels
        self.classifier = MLPClassifier(
            task.hidden,
            solver=task.optimizer,
            alpha=0.0,
            batch_size=task.batch_size,
            learning_rate_init=task.learning_rate,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
            beta_1=BETA1,
            beta_2=BETA2,
            epsilon=EPSILON,
        )
        # The first call makes the arrays; then they get the first values, and the optimizer is reset.
        rows = slice(task.batch_size)
        self.classifier.partial_fit(self.x[rows], self.labels[rows], classes=np.arange(CLASSES))
        for array, first in zip(self.arrays(), parameters, strict=True):
            array[...] = first
        del self.classifier._optimizer  # noqa: SLF001 - scikit-learn has no public way

    def train(self, minibatches: NDArray[np.int64]) -> None:
        """Take a step on each minibatch."""
        for rows in minibatches:
            self.classifier.partial_fit(self.x.take(rows, axis=0), self.labels.take(rows))
            check_loss(self.classifier.loss_)

    def arrays(self) -> list[NDArray[np.float32]]:
        """Return the classifier's own arrays, W and b of each layer."""
        layers = zip(self.classifier.coefs_, self.classifier.intercepts_, strict=True)
        return [array for layer in layers for array in layer]

    def parameters(self) -> list[NDArray[np.float32]]:
        """Return the parameters."""
        return [array.copy() for array in self.arrays()]

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        probabilities: NDArray[np.float32] = self.classifier.predict_proba(x)
        return probabilities
