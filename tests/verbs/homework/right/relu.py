# mlpkit exercise: layer Relu
import numpy as np


class Relu:
    def forward(self, x):
        self.positive = x > 0
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * self.positive
