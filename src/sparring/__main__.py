"""`python -m sparring` is `sparring`."""

from sparring.cli.main import main

main()
