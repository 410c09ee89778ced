"""Training: the clock, its chores, and many processes."""
