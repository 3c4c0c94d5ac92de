"""The command line: `lithify VERB ...`, on a local archive or on a server.

Each verb lives in a file of `lithify/api/commands/` that is read when the verb is used, and imports what it
needs when it runs: `lithify --help` is there at once. Nothing ends in a traceback: whatever goes wrong is one
sentence on standard error and an exit code from lithify/errors.py.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any, NoReturn, cast

import click

from lithify import __version__
from lithify.api.commands.session import Session, from_os_error
from lithify.api.commands.values import PATH, TEXT
from lithify.api.output import Output, ReaderLeft
from lithify.errors import BadArgument, LithifyError, OutOfMemory
from lithify.workers.making import heard_by

COMMANDS: dict[str, str] = {
    "put": "put:put",
    "get": "get:get",
    "ls": "ls:ls",
    "find": "find:find",
    "stat": "stat:stat",
    "rm": "rm:rm",
    "report": "report:report",
    "grep": "grep:grep",
    "templates": "templates:templates",
    "surprise": "surprise:surprise",
    "like": "like:like",
    "verify": "verify:verify",
    "check": "check:check",
    "scrub": "upkeep:scrub",
    "sweep": "upkeep:sweep",
    "rebuild": "rebuild:rebuild",
    "schedule": "schedule:schedule",
    "policy": "policy:policy",
    "primer": "primer:primer",
    "job": "job:job",
    "key": "key:key",
    "serve": "serve:serve",
    "work": "work:work",
    "pack": "pack:pack",
    "unpack": "unpack:unpack",
    "info": "info:info",
    "codecs": "codecs:codecs",
    "model": "model:model",
}
EXIT_NOTHING_FOUND = 1
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_READER_LEFT = 141
EPILOG = """\b
Exit codes:
  0    done; grep: something was found
  1    grep: nothing was found
  2    refused: the request is wrong, nothing was changed
  3    stored or given bytes are wrong
  4    the result does not keep its contract
  70   a bug in lithify
  75   not now: trying again later may work
  130  interrupted
  141  whoever read the output left
With several names, the first failure's code; the others are still done."""


class Program(click.Group):
    """The group of all verbs: loads a verb when it is asked for, and turns every end into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of one verb."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        return cast("click.Command", getattr(import_module(f"lithify.api.commands.{module}"), name))

    def invoke(self, ctx: click.Context) -> int:
        """Run the verb; what it gives back is the exit code of its first failure."""
        try:
            with heard_by(partial(_tell_making, ctx)):
                super().invoke(ctx)
        except OSError as error:
            raise from_os_error(error) from error
        return cast("Session", ctx.obj).exit_code

    def main(self, args: Sequence[str] | None = None, *_: Any, standalone_mode: bool = True, **__: Any) -> Any:
        """Run, and exit with the code (or return it, outside standalone mode)."""
        arguments = list(sys.argv[1:] if args is None else args)
        out = Output(as_json="--json" in arguments)
        code = _flush(out, self._run(arguments, out))
        if standalone_mode:
            sys.exit(code)
        return code

    def _run(self, arguments: list[str], out: Output) -> int:
        for stream in (sys.stdout, sys.stderr):
            # A name the terminal's encoding lacks is shown escaped; it is no reason to fail.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            return int(super().main(arguments, "lithify", standalone_mode=False) or 0)
        except ReaderLeft:
            return EXIT_READER_LEFT
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            return error.exit_code
        except Exception as error:  # noqa: BLE001 - the last door: nobody gets a traceback they did not ask for
            _traceback_if_debugging(error)
            code, sentence, exit_code = _explain(error)
            out.failure(code, sentence, exit_code)
            return exit_code


def _tell_making(context: click.Context, codec: str) -> None:
    cast("Session", context.obj).out.making(codec)  # which the verb's own options have set up by now


def _explain(error: Exception) -> tuple[str, str, int]:
    """Code, sentence and exit code."""
    match error:
        case LithifyError():
            found = error
        case OSError():
            found = from_os_error(error)
        case MemoryError():
            found = OutOfMemory("this machine is out of memory")
        case click.Abort():
            return "interrupted", "interrupted", EXIT_INTERRUPTED
        case click.ClickException():
            context = getattr(error, "ctx", None)
            hint = f" Try '{context.command_path} --help'." if context is not None else ""
            found = BadArgument(error.format_message().rstrip(".") + "." + hint)
        case _:
            sentence = f"{type(error).__name__}: {error}; this is a bug in lithify (LITHIFY_DEBUG=1 shows where)"
            return "bug", sentence, EXIT_BUG
    return found.code, found.message, found.exit_code


def _traceback_if_debugging(error: Exception) -> None:
    # Read straight from the environment: broken settings may be what is being looked for.
    if os.environ.get("LITHIFY_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)


def _fill_standard_descriptors() -> None:
    """A closed standard output must not become the number of the catalog's file, where a child would write into it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - open till the end
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - open till the end


def _flush(out: Output, code: int) -> int:
    """The exit code, once the reader has the whole answer or has turned out to be gone."""
    try:
        out.flush()
    except ReaderLeft:
        code = code or EXIT_READER_LEFT
    except OSError as error:
        fault = from_os_error(error)
        out.error(fault)
        code = code or fault.exit_code
    else:
        return code
    # What is still buffered has nowhere to go; the interpreter must not trip over it while it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


@click.group(cls=Program, epilog=EPILOG, context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="lithify", message="%(prog)s %(version)s")
@click.option("--archive", type=PATH, metavar="DIR", help="Folder of the local archive. [env: LITHIFY_ARCHIVE]")
@click.option("--url", type=TEXT, help="Work on this server instead. [env: LITHIFY_URL]")
@click.option("--key", type=TEXT, help="API key for the server; better kept in the environment. [env: LITHIFY_KEY]")
@click.pass_context
def program(context: click.Context, /, **given: Any) -> None:
    """Keep each thing in the densest form that can be proved to come back."""
    context.obj = Session(**given)


def main() -> NoReturn:
    """The `lithify` command."""
    _fill_standard_descriptors()
    program.main()
    raise AssertionError("a run ends by exiting")
