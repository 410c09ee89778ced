"""The command `sparring`: one command, one file. Each reads its flags, makes one call below and prints the result."""
