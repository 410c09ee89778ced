"""Named recipes: functions that return a Recipe, one file for each family."""
