"""What the Python checks share: where the server is, and counting, as in lib.mjs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

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


def given(what: str, variable: str) -> str | None:
    """What a check needs beside the server, as in lib.mjs."""
    value = os.environ.get(variable)
    if value:
        return value
    if os.environ.get(f"DUALCASTER_WITHOUT_{what.upper()}") == "1":
        print(f"skipped: no {what}, as allowed by --without-{what}; the option --{what} of run.sh names one")
        return None

    def missing() -> None:
        reason = f"{variable} is not set: the option --{what} of run.sh names one; --without-{what} leaves this out"
        raise LookupError(reason)

    check(what, missing)
    return None


def finish() -> NoReturn:
    print(f"{Path(sys.argv[0]).stem}: {_passed} passed, {_failed} failed")
    sys.exit(1 if _failed else 0)
