# mlpkit exercise: loss SoftmaxWithLoss
import numpy as np


class SoftmaxWithLoss:
    def forward(self, x, t):
        x = x - x.max(axis=1, keepdims=True)
        e = np.exp(x)
        total = e.sum(axis=1, keepdims=True)
        self.p, self.t = e / total, t
        self.rows = np.arange(len(x))
        return np.mean(np.log(total[:, 0]) - x[self.rows, t])

    def backward(self):
        dx = self.p.copy()
        dx[self.rows, self.t] -= 1
        return dx / len(dx)
