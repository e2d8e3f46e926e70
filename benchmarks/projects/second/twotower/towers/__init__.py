from .hashing import bucketize
from .tower import Tower, build_tower

__all__ = ["bucketize", "Tower", "build_tower"]
