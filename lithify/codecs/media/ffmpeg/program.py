"""Running ffmpeg: graphs are built by ffmpeg-python, the program is the one that imageio-ffmpeg brings.

It is a child of a codec's process and inherits what that has given up: it can open no file but libraries, reach no
network, gain no privilege (workers/confine.py). Beyond that it gets descriptors instead of names, is allowed no other
protocol, is told the format of each input and allowed no other, and is held to processor time, output and wall time.
"""

import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from lithify import limits
from lithify.codecs.media.ffmpeg.demuxers import HEAD_BYTES, demuxer_of
from lithify.codecs.media.ffmpeg.memory import Memory
from lithify.errors import Corrupt, LimitExceeded, MissingExtra, OutOfMemory, TimedOut

_GLOBAL = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-progress", "pipe:1")
_PROTOCOL = "fd"
_ENVIRONMENT = {"SVT_LOG": "1", "LC_ALL": "C"}
_TICK_SECONDS = 0.5
_TOLD_BYTES = 2000
_DESCRIPTORS_MAX = 64
_OUT_OF_MEMORY = ("Cannot allocate memory", "std::bad_alloc")

OnFrames = Callable[[int], None]


class Bounds(NamedTuple):
    """What one run may use."""

    wall_seconds: float = limits.FFMPEG_WALL_SECONDS
    output_bytes: int = limits.FILM_BYTES_MAX


@cache
def version() -> str:
    """What the program calls itself, such as `n9.0.2`."""
    told = subprocess.run([program(), "-version"], capture_output=True, env=_ENVIRONMENT, check=False).stdout
    words = told.split(maxsplit=3)
    return words[2].decode("ascii", "replace") if len(words) > 2 else "unknown"


@cache
def program() -> str:
    """Where it lies. Raises MissingExtra if it is not there."""
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError as error:
        raise MissingExtra("films are made anew with the extra media: pip install 'lithify[media]'") from error
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def source(file: Memory, **options: Any) -> Any:
    """An input of a graph, read from its beginning. `options` are ffmpeg's. Raises Corrupt if it is no film."""
    import ffmpeg

    demuxer = demuxer_of(os.pread(file.fd, HEAD_BYTES, 0))
    if demuxer is None:
        raise Corrupt("what should be a film begins as none that is known")
    file.rewind()
    held = {"protocol_whitelist": _PROTOCOL, "format_whitelist": demuxer, "f": demuxer}
    held["max_pixels"] = str(limits.FILM_PIXELS_MAX)
    return ffmpeg.input("fd:", fd=file.fd, noautorotate=None, **held, **options)


def target(streams: Sequence[Any], file: Memory, muxer: str, **options: Any) -> Any:
    """An output of a graph, into an empty file. `options` are ffmpeg's."""
    import ffmpeg

    return ffmpeg.output(*streams, "fd:", fd=file.fd, f=muxer, **options)


def run(graph: Any, files: Sequence[Memory], bounds: Bounds | None = None, on_frames: OnFrames | None = None) -> None:
    """Run what a graph says, with these files and no others.

    on_frames  told how many frames are done, now and then; what it raises ends the program

    Raises Corrupt with the program's own words when it fails, TimedOut, OutOfMemory.
    """
    import ffmpeg

    bounds = bounds or Bounds()
    arguments = ffmpeg.compile(graph, cmd=program())
    arguments[1:1] = _GLOBAL
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[file.fd for file in files],
        env=_ENVIRONMENT,
        cwd="/",
    )
    with process:
        try:
            _hold(process.pid, bounds)
            said = _watch(process, time.monotonic() + bounds.wall_seconds, on_frames)
        except BaseException:
            _end(process)
            raise
        _judge(process.wait(), said)


def _hold(pid: int, bounds: Bounds) -> None:
    """Limits beside those that it inherited; its memory is already bounded as ours is."""
    cpu = int(bounds.wall_seconds * (os.cpu_count() or 1)) + 1
    for what, most in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, bounds.output_bytes),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS_MAX),
    ):
        _, hard = resource.prlimit(pid, what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.prlimit(pid, what, (least, least))


def _watch(process: "subprocess.Popen[bytes]", until: float, on_frames: OnFrames | None) -> str:
    """Listen until it has closed both pipes; gives the last of what it complained about."""
    assert process.stdout is not None
    assert process.stderr is not None
    said, progress = b"", b""
    with selectors.DefaultSelector() as poll:
        for pipe in (process.stdout, process.stderr):
            poll.register(pipe, selectors.EVENT_READ)
        while poll.get_map():
            if time.monotonic() > until:
                raise TimedOut("ffmpeg took longer than it may")
            for key, _ in poll.select(_TICK_SECONDS):
                piece = os.read(key.fd, limits.COPY_BYTES)
                if not piece:
                    poll.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    said = (said + piece)[-_TOLD_BYTES:]
                else:
                    progress = _told(progress + piece, on_frames)
    return said.decode("utf-8", "replace").strip()


def _told(progress: bytes, on_frames: OnFrames | None) -> bytes:
    """Pass on how many frames are done; gives back the unfinished line at the end."""
    *lines, rest = progress.split(b"\n")
    frames = [line[6:].strip() for line in lines if line.startswith(b"frame=")]
    if frames and frames[-1].isdigit() and on_frames is not None:
        on_frames(int(frames[-1][:18]))
    return rest[-_TOLD_BYTES:]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asked to end, it would finish its file first, which may take as long as it likes."""
    process.terminate()
    try:
        process.wait(limits.CHILD_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _judge(code: int, said: str) -> None:
    if not code:
        return
    if any(words in said for words in _OUT_OF_MEMORY):
        raise OutOfMemory("ffmpeg needed more memory than it may have")
    if code == -signal.SIGXFSZ:
        raise LimitExceeded("ffmpeg wrote more than it may")
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    raise Corrupt(f"ffmpeg ended with {how}: {said[-_TOLD_BYTES:] or 'it said nothing'}")
