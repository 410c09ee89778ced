"""A user's own images, wherever they lie: in a folder, a zip or tar archive or an array; decoded once and cached."""
