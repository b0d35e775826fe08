"""``mlpkit card``: what a model is, what it can do and what it can't, for the people who use it."""
