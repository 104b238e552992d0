"""Ending processes that have processes of their own."""

import os
import signal
import subprocess
from contextlib import suppress


def end_group(process: "subprocess.Popen[str]", seconds: float) -> None:
    """Ask a process and all in its group to end, and end them where that takes too long, or Ctrl-C comes."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(seconds)
    except ProcessLookupError:
        pass
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
