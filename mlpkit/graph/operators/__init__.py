"""ONNX's operators of opset 17 in NumPy: one function per operator, one module per family, with a table at its end."""
