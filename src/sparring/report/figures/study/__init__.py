"""Figures of a study: effects, interactions, cells and their course over training."""
