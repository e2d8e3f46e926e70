"""The user's program as text: source, syntax trees, and what can be read from them without running them."""
