"""Driving the user's program: scripts, loops, copies of the process, proofs by running again."""
