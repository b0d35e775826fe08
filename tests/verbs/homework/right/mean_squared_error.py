# mlpkit exercise: loss MeanSquaredError
import numpy as np


class MeanSquaredError:
    def forward(self, x, t):
        self.r = x - t
        return np.mean(self.r**2)

    def backward(self):
        return 2 * self.r / self.r.size
