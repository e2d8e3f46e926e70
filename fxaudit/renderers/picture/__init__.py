"""Pictures through Graphviz."""
