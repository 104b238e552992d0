"""The coordinate check: whether activations of a model change as much at any width, step by step."""
