"""Networks: flat parameters and their named views, the stack of layers, the proof of its shapes."""
