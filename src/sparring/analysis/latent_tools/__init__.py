"""Ways to explore the latent space of trained generators."""
