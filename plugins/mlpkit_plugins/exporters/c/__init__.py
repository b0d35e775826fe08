"""Converts a graph to a file in C: names and literals, memory, operators, and the proof of its results."""
