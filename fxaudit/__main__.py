"""`python -m fxaudit`."""

import os
import sys

if __name__ == "__main__":
    # Python puts the working directory first, where a file of the user's, `click.py` or `html.py` say, would stand for
    # what fxaudit imports. The command `fxaudit` has its own folder there.
    sys.path[0] = os.path.dirname(sys.executable)
    from fxaudit.cli import main

    sys.exit(main())
