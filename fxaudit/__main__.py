"""`python -m fxaudit`."""

import sys

from fxaudit.cli import main

if __name__ == "__main__":
    sys.exit(main())
