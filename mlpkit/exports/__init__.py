"""What leaves: a trained network as a graph of ONNX operators, and the files that are written from it."""
