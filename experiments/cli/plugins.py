"""The option `--plugin`, which every command has."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

HELP = "Module with kinds, activations or variants of your own; may be repeated."
Plugins = Annotated[list[str] | None, typer.Option("--plugin", metavar="MODULE", help=HELP)]
PluginsOfCommand = Annotated[
    list[str] | None,
    # The names in the variable are separated by spaces.
    typer.Option("--plugin", metavar="MODULE", help=HELP, envvar="GPT_ZOO_PLUGINS"),
]


class PluginApp(typer.Typer):
    """An app whose commands load the plug-ins before they run, and no sooner: help comes at once."""

    def command(self, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
        """Register a command, which gets the option."""
        register = super().command(*arguments, **options)
        return lambda function: register(_with_plugins(function))


def load_before_command(plugins: Plugins = None) -> None:
    """Load the plug-ins that are named before the command: `gpt-zoo --plugin mine list`."""
    if plugins:
        import registry

        registry.load_plugins(plugins)


def _with_plugins(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*arguments: Any, plugins: list[str] | None = None, **options: Any) -> Any:
        import registry

        registry.load_plugins(plugins or ())
        return function(*arguments, **options)

    own = inspect.signature(function)
    option = inspect.Parameter(
        "plugins", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=PluginsOfCommand
    )
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    run.__annotations__ = {**function.__annotations__, "plugins": PluginsOfCommand}
    return run
