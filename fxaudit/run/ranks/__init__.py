"""Programs of several processes: what they tell each other, and one report of all."""
