"""A model as a graph of operators, and what evaluates it with NumPy."""
