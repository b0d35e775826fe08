# mlpkit exercise: optimizer sgd
class Sgd:
    def __init__(self, learning_rate=0.1, momentum=0.9):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {}

    def update(self, params, grads):
        for name in params:
            self.velocity[name] = self.momentum * self.velocity.get(name, 0) + grads[name]
            params[name] -= self.learning_rate * self.velocity[name]
