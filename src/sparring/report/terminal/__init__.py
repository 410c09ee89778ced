"""Words and tables for a terminal."""
