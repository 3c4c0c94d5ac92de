"""The reference half of docs/cli.md, from the commands themselves: `python -m lithify.api.commands.reference`.

What stands above the marker in that file is written by hand; what follows it is replaced. A test keeps it current.
"""

from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

MARKER = "<!-- below: python -m lithify.api.commands.reference -->"
PAGE = Path("docs/cli.md")


def commands(command: click.Command, path: tuple[str, ...] = ("lithify",)) -> Iterator[tuple[str, click.Command]]:
    """Every command below and with `command`, each with the words that call it."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands(below, (*path, name))


def reference() -> str:
    """One section per command: how it is called, what it does, what its options mean."""
    from lithify.api.cli import program

    return "\n".join(_section(path, command) for path, command in commands(program))


def page(text: str) -> str:
    """The page with its reference renewed."""
    return f"{text.partition(MARKER)[0]}{MARKER}\n\n{reference()}"


def _section(path: str, command: click.Command) -> str:
    """Written here and not taken from click's own help, whose layout changes from release to release."""
    words = [path, *(one.make_metavar(click.Context(command)) for one in _arguments(command))]
    if isinstance(command, click.Group):
        words.append("VERB ...")
    text = f"## `{' '.join(words)}`\n\n{cleandoc(command.help or '')}\n"
    options = [_row(command, one) for one in command.params if isinstance(one, click.Option)]
    return text + "".join(["\n| option | meaning |\n| --- | --- |\n", *options] if options else [])


def _arguments(command: click.Command) -> list[click.Argument]:
    return [one for one in command.params if isinstance(one, click.Argument)]


def _row(command: click.Command, option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(command))}"
    default = f" Default: {option.default}." if option.show_default else ""
    needed = " Required." if option.required else ""
    spelling = f"{', '.join(option.opts)}{value}".replace("|", "\\|")
    return f"| `{spelling}` | {option.help}{default}{needed} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
