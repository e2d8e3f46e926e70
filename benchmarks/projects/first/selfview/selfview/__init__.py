"""Self-supervised learning from two views, on feature vectors."""
