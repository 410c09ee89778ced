"""The command: one command, one file."""

from sparring.cli.main import main as main
