"""Directions of the latent space: ways to find them, what each moves, and whether other seeds have them too.

Here a generator G is one member's: latent vectors `(B, size)` -> examples `(B, *shape)`, a function that torch can
differentiate. Where training is class-conditional, vectors have the one-hot class appended, `(B, size + classes)`, and
directions change their first `size` numbers only. Directions are rows of a matrix `(K, size)`, each of length 1, the
strongest first.
"""
