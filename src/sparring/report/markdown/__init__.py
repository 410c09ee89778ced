"""Tables for the documentation, read off the leaves."""
