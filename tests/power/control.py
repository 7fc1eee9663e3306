"""The agent with a queue that syncs less (``synchronous=NORMAL``), for the control run: as the
command line, ``python -m tests.power.control --dir … run``.
"""

from agent.__main__ import main
from agent.offline_queue import database

if __name__ == "__main__":
    assert database._PRAGMAS["synchronous"] == "full"
    database._PRAGMAS["synchronous"] = "normal"
    main()
