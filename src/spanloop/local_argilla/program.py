r"""Serve the real Argilla with SQLite alone: the program that the server environment's Python runs by path.

    SPANLOOP_ARGILLA_CREDENTIALS=home/argilla/credentials.json ARGILLA_HOME_PATH=home/argilla \
        server-env/bin/python src/spanloop/local_argilla/program.py

Environment:
    ARGILLA_HOME_PATH              data folder; the database is `argilla.db` in it
    SPANLOOP_ARGILLA_CREDENTIALS   JSON file with `username`, `password`, `api_key` and `auth_secret`
    SPANLOOP_ARGILLA_HOST          address to bind (127.0.0.1)
    SPANLOOP_ARGILLA_PORT          port to bind (6900)

Neither spanloop nor anything it depends on is installed in that environment, so `runtime` and `engine` beside this
file are imported as packages of their own and use argilla_server, its dependencies and fakeredis only.
"""

import os
import sys

# Installed packages come first: none of them may be shadowed by a module beside this file.
sys.path.append(sys.path.pop(0))

from runtime.serve import main

if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is closed by now; tearing down two thousand modules would take another second or two
