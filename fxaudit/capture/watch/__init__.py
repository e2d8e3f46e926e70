"""What is watched while a program runs: one file for each part of torch that tells of itself."""
