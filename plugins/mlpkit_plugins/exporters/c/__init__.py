"""How a graph becomes a file in C: names and literals, memory, operators, and the proof that it computes the same."""
