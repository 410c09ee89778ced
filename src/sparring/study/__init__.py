"""Studies: a question asked of many recipes, each trained with the same seeds, and the table that answers it."""
