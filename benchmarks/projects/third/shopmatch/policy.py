"""Business and training policy in one place; no logic here."""
from typing import Final

INITIAL_LOG_SCALE: Final = 2.3
LOG_SCALE_CEILING: Final = 4.6

USER_DIM: Final = 8
ITEM_DIM: Final = 8
CATEGORY_DIM: Final = 4
OUT_DIM: Final = 12

DENSE_LR: Final = 3e-3
TABLE_LR: Final = 5e-2

CATEGORIES: Final = ("BOOKS", "GARDEN", "TOYS", "KITCHEN")
UNKNOWN_CATEGORY: Final = 0  # padding row of the table

BATCHES: Final = 10
BATCH_SIZE: Final = 12
