"""Forms that people read as text, and the words they share."""
