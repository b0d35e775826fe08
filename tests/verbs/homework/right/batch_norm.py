# mlpkit exercise: layer BatchNorm
import numpy as np


class BatchNorm:
    def __init__(self, gamma, beta, momentum=0.9, epsilon=1e-05):
        self.gamma, self.beta = gamma, beta
        self.momentum, self.epsilon = momentum, epsilon
        self.mean, self.variance = 0.0, 1.0

    def forward(self, x, training=True):
        if not training:
            return self.gamma * (x - self.mean) / np.sqrt(self.variance + self.epsilon) + self.beta
        mean, variance, n = x.mean(axis=0), x.var(axis=0), len(x)
        self.mean = self.momentum * self.mean + (1 - self.momentum) * mean
        self.variance = self.momentum * self.variance + (1 - self.momentum) * variance * n / (n - 1)
        self.scale = 1 / np.sqrt(variance + self.epsilon)
        self.normalized = (x - mean) * self.scale
        return self.gamma * self.normalized + self.beta

    def backward(self, dy):
        self.dgamma = (dy * self.normalized).sum(axis=0)
        self.dbeta = dy.sum(axis=0)
        along = self.normalized * (dy * self.normalized).mean(axis=0)
        return self.gamma * self.scale * (dy - dy.mean(axis=0) - along)
