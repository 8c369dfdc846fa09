"""What the Python checks share: where the server is, and counting, as in lib.mjs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

server = os.environ.get("DUALCASTER_URL", "http://127.0.0.1:8080").rstrip("/")
endpoint = f"{server}/graphql"

_passed = 0
_failed = 0


def check(name: str, body: Callable[[], None]) -> None:
    global _passed, _failed
    try:
        body()
    except Exception as error:  # whatever a client throws is a failure to report
        _failed += 1
        reason = f"{type(error).__name__}: {error}".strip()[:1200].replace("\n", "\n    ")
        print(f"not ok: {name}\n    {reason}")
    else:
        _passed += 1


def finish() -> None:
    print(f"{Path(sys.argv[0]).stem}: {_passed} passed, {_failed} failed")
    sys.exit(1 if _failed else 0)
