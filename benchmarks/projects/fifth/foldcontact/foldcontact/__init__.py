"""Contact maps from sequence alone, with pair updates and recycling."""
