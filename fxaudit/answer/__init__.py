"""The answer: findings, the report's data, their JSON, what changed between two. No torch, no live object."""
