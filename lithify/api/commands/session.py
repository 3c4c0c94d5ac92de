"""What the commands share: the global options, the archive or server they name, and how the run ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from lithify.api.output import Output
from lithify.errors import BadArgument, LithifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lithify.api.commands.values import ObjectName
    from lithify.api.service import Service
    from lithify.settings import Settings
    from lithify.store.views import ObjectView
    from lithify.workers.archive import Archive


class Session:
    """One run of the program."""

    def __init__(self, **given: Any) -> None:
        """`given` are the global options that were typed; the others come from the environment."""
        self._given = {name: value for name, value in given.items() if value is not None}
        self.out = Output()
        self.exit_code = 0
        """What the run ends with: that of the first failure."""

    @cached_property
    def settings(self) -> "Settings":
        """The settings: what was typed, else LITHIFY_* of the environment, else the defaults."""
        from pydantic import ValidationError

        from lithify.settings import Settings

        given = dict(self._given)
        if "archive" in given:
            if "url" in given:
                raise BadArgument("--archive and --url were both given; a command works on one of them")
            # Typed by hand, --archive wins over a LITHIFY_URL that happens to be in the environment.
            given["url"] = None
        try:
            return Settings(**given)
        except ValidationError as error:
            raise BadArgument(_first_fault(error.errors()[0])) from error

    def local_settings(self, verb: str) -> "Settings":
        """The settings, for a verb that works in the archive's own folder. Refuses when a server is named."""
        if self.settings.url is not None:
            raise BadArgument(
                f"{verb} works on a local archive only; run it on the server's machine with --archive "
                f"(now LITHIFY_URL or --url names {self.settings.url})"
            )
        return self.settings

    def models(self, given: "Sequence[Path]") -> "tuple[Path, ...]":
        """Where language models are looked for: those given, then the operator's folder."""
        return (*given, *([] if self.settings.models is None else [self.settings.models]))

    def failed(self, error: LithifyError) -> None:
        """Report a failure that leaves the rest of the work to be done."""
        self.out.error(error)
        self.exit_code = self.exit_code or error.exit_code

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Inside, a failure is reported and remembered, and the run goes on with the next thing."""
        try:
            yield
        except LithifyError as error:
            self.failed(error)
        except OSError as error:
            self.failed(from_os_error(error))


@contextmanager
def open_service(session: Session, *, create: bool = False) -> Iterator["Service"]:
    """The archive in its folder, or the server: the same verbs and the same answers.

    An archive that is not there is made only by the verbs that bring something into it.
    """
    settings = session.settings
    if settings.url is not None:
        from lithify.api.client import Client

        with Client(settings.url, settings.key) as client:
            yield client
    else:
        with open_archive(settings, create=create) as archive:
            yield archive


def open_archive(settings: "Settings", *, create: bool = True) -> "Archive":
    """The archive in its folder."""
    from lithify.workers.archive import Archive

    return Archive(
        settings.archive,
        create=create,
        effort=settings.effort,
        child_memory_bytes=settings.child_memory_bytes,
        child_wall_seconds=settings.child_wall_seconds,
        grace_seconds=settings.grace_seconds,
        checkpoint_seconds=settings.checkpoint_seconds,
        repack_seconds=settings.repack_seconds,
        models=settings.models,
    )


def pages(service: "Service", prefix: "ObjectName") -> "Iterator[ObjectView]":
    """Every object whose name starts with `prefix`, in order of name."""
    after = ""
    while found := service.list(prefix.collection, prefix=prefix.name, after=after):
        yield from found
        after = found[-1].name


def standard_input() -> BinaryIO:
    """The pipe on our standard input."""
    if sys.stdin is None:
        raise BadArgument("standard input is closed")
    return sys.stdin.buffer


def json_option(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """`--json`, on every command that answers something."""

    def remember(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            context.find_object(Session).out.as_json = True  # type: ignore[union-attr]

    return click.option(
        "--json", is_flag=True, expose_value=False, callback=remember, help="One JSON object per line."
    )(command)


# A path that cannot be used is the caller's mistake; anything else the system refuses may pass.
_CALLERS_FAULT = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)


def from_os_error(error: OSError) -> LithifyError:
    """Ours for one of the operating system's, with the file it is about."""
    import errno

    from lithify.errors import OutOfSpace, StoreUnavailable

    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    text = where + (error.strerror or str(error) or type(error).__name__)
    if isinstance(error, _CALLERS_FAULT) or error.errno in {errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL}:
        return BadArgument(text)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OutOfSpace(text)
    return StoreUnavailable(text)


def _first_fault(fault: Any) -> str:
    name = str(fault["loc"][0]).upper() if fault["loc"] else "SETTINGS"
    found = str(fault["input"])[:100]
    return f"LITHIFY_{name}: {fault['msg'][0].lower()}{fault['msg'][1:]}, found {found!r}"
