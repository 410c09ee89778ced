"""Rounds compiled ahead of time. The front door is `plan`."""
