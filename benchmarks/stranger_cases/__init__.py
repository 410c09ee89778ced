"""GANs of strangers: their data, their networks and their mistakes, as `strangers.py` trains them."""
