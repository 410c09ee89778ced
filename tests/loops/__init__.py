"""Training loops as people write them, small enough to run in a second. Each is a function that a watch surrounds."""
