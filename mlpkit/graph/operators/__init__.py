"""ONNX's operators in NumPy, for opset 17: a function each, by family; each family ends in a table of them."""
