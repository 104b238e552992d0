"""Ending processes that have processes of their own."""

import os
import signal
import subprocess
from contextlib import suppress


def end_group(process: "subprocess.Popen[str]", seconds: float) -> None:
    """Ask a process and all in its group to end, and end them where that takes too long, or Ctrl-C comes.

    Raises:
        KeyboardInterrupt: it came, and they are ended.
    """
    try:
        _send(process, signal.SIGTERM)
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        _send(process, signal.SIGKILL)
    except KeyboardInterrupt:
        _send(process, signal.SIGKILL)
        raise


def _send(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
