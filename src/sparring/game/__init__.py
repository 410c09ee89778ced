"""The game: players, moves, random streams, and how a round is played fast."""
