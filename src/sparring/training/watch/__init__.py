"""Watching a training loop that somebody else wrote, without changing what it computes.

session         `watch(G, D, opt_G, opt_D)`: begins, listens, ends
hooks           listens to modules, optimizers and backward passes
provenance      follows tensors through a few rounds: which came from G, which are real, what was done to them
observer        turns what was observed into rounds, curves and facts of the loop
examination     what is looked up in networks and optimizers themselves
recorder        writes the run
graphs          whether graphs of earlier rounds are kept
lines           the line of the user's program that is running
"""
