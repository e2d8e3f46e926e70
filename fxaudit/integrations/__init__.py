"""At home in other tools: one module for each, by its own extension points."""
