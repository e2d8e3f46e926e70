"""The page, and the piece of a notebook."""
