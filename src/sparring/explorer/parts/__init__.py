"""Parts of pages: each a function that takes data and puts elements where it is called."""
