"""The real agent on a machine whose boot has the id in a file: ``FILE ARGUMENT…``.

The kernel gives a new id at each boot only, and no test starts the kernel anew.
"""

import sys
from pathlib import Path

from agent.__main__ import main
from shared import clock

if __name__ == "__main__":
    clock._BOOT_ID = Path(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
