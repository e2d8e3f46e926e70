"""rlbench: on-policy agents with a learnable temperature."""
