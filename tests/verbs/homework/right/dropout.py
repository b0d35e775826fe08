# mlpkit exercise: layer Dropout
import numpy as np


class Dropout:
    def __init__(self, rate=0.3):
        self.rate = rate

    def forward(self, x, training=True):
        if not training:
            return x
        self.m = (np.random.rand(*x.shape) >= self.rate) / (1 - self.rate)
        return x * self.m

    def backward(self, dy):
        return dy * self.m
