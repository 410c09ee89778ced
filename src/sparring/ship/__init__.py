"""Shipping: a run becomes files that others can use without Sparring: ONNX, weights with a script, a card, a page."""
