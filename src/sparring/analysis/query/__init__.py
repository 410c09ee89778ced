"""SQL over all runs under a folder: tables of what their plain files say, made when they are asked for. No torch."""
