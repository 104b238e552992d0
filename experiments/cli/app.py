"""The command itself: its sub-commands, and how it ends."""

import os
import signal
import sys

from experiments.cli import (
    audit,
    bench,
    catalog,
    coordcheck,
    cost,
    doctor,
    generate,
    hub,
    listing,
    match,
    runs,
)
from experiments.cli.plugins import PluginApp, load_before_command
from experiments.failures import first_line, is_want_of_memory

app = PluginApp(
    name="gpt-zoo",
    help="Declare GPT variants in YAML, train them briefly on real text, see which is worth its cost.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
TYPER_WAS_INTERRUPTED = 130
"""What typer makes of a KeyboardInterrupt."""
RESUMABLE = {"search", "compare", "train"}
"""The commands that keep what they have done."""

app.callback()(load_before_command)
listing.register(app)
catalog.register(app)
audit.register(app)
bench.register(app)
cost.register(app)
coordcheck.register(app)
match.register(app)
runs.register(app)
generate.register(app)
hub.register(app)
doctor.register(app)


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong."""
    # A scheduler that ends us says SIGTERM: as with Ctrl-C, a training then keeps its state first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except SystemExit as end:
        if end.code != TYPER_WAS_INTERRUPTED:
            raise
        goes_on = RESUMABLE & set(sys.argv[1:])
        _say("interrupted" + ("; the same command goes on from here" if goes_on else ""))
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        # What a user got wrong is told in a line; GPT_ZOO_DEBUG shows where it was noticed.
        if os.environ.get("GPT_ZOO_DEBUG"):
            raise
        _say(f"error: {error}")
    except (RuntimeError, MemoryError) as error:
        if os.environ.get("GPT_ZOO_DEBUG") or not is_want_of_memory(error):
            raise
        _say(f"error: the model does not fit into memory: {first_line(error)}")
    sys.exit(1)


def _say(text: str) -> None:
    from experiments.masking import mask_text
    from experiments.printable import printable

    print(printable(mask_text(text), keep="\n"), file=sys.stderr)


if __name__ == "__main__":
    main()
