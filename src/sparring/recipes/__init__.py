"""Named recipes, one file per lineage."""
