"""What a worker and a codec's process say to each other: `u32 length · u8 type · payload` over a pair of sockets.

A `D` payload is bytes of an original. Every other payload is `u32 length · JSON · attachments one after another`, the
JSON being `[document, [length of each attachment]]`. File descriptors travel with a task. Nothing is ever unpickled.
"""

import json
import socket
import struct
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lithify import limits

TASK, DATA, PROGRESS, RESULT, ERROR, HELLO, ELSEWHERE, MAKING = b"TDPREHXM"
END = b"e"
"""What a worker writes on a child's lifeline to have it ended."""
FDS_MAX = 16
REQUEST_BYTES_MAX = 4096
"""A worker asks its zygote for a child in one message: a JSON list of the codecs whose kernels it is to have."""
_HEADER = struct.Struct("<IB")
_HEAD_LENGTH = struct.Struct("<I")


class Nonsense(Exception):
    """The other side broke these rules."""


class Silence(Exception):
    """The other side is gone."""


class Late(Exception):
    """The other side took too long."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker tells its zygote on the command line."""

    control: int
    parent: int
    memory_bytes: int
    modules: tuple[str, ...]
    kernels_seconds: int = 0
    """How long it may take to get kernels (workers/kernels.py) for a child; 0: none are ever wanted."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, taken apart."""

    type: int
    document: dict[str, Any]
    attached: tuple[bytes, ...] = ()
    data: bytes = b""
    fds: tuple[int, ...] = ()


def send_data(sock: socket.socket, data: bytes | memoryview) -> None:
    """Send one `D` message; blocks while the other side is not reading."""
    sock.sendall(b"".join((_HEADER.pack(len(data), DATA), data)))


def send(
    sock: socket.socket, kind: int, document: dict[str, Any], attached: Sequence[bytes] = (), fds: Sequence[int] = ()
) -> None:
    """Send a document with its attachments; the receiver gets copies of `fds`."""
    head = json.dumps([document, [len(item) for item in attached]]).encode()
    length = _HEAD_LENGTH.size + len(head) + sum(map(len, attached))
    if length > limits.CHILD_MESSAGE_BYTES_MAX:
        raise Nonsense(f"a message of {length} bytes, at most {limits.CHILD_MESSAGE_BYTES_MAX} are allowed")
    whole = memoryview(b"".join((_HEADER.pack(length, kind), _HEAD_LENGTH.pack(len(head)), head, *attached)))
    sent = socket.send_fds(sock, [whole], list(fds)) if fds else 0
    if sent < len(whole):  # an empty send would fail if the other side has answered already, and gone
        sock.sendall(whole[sent:])


def receive(sock: socket.socket, *, until: float | None = None) -> Message:
    """The next message; waits up to `until` (time.monotonic).

    Raises Silence when the other side has closed, Late, Nonsense. The bytes are a child's: nothing in them is trusted.
    """
    _wait_at_most(sock, until)
    header, fds = _receive_header(sock)
    header += _read(sock, _HEADER.size - len(header), until)
    length, kind = _HEADER.unpack(header)
    if length > limits.CHILD_MESSAGE_BYTES_MAX:
        raise Nonsense(f"a message of {length} bytes, at most {limits.CHILD_MESSAGE_BYTES_MAX} are allowed")
    payload = _read(sock, length, until)
    if kind == DATA:
        return Message(kind, {}, data=payload, fds=fds)
    document, attached = _take_apart(payload)
    return Message(kind, document, attached, fds=fds)


def receive_fds(sock: socket.socket, size: int, fds_max: int) -> tuple[bytes, tuple[int, ...]]:
    """Up to `size` bytes and the descriptors that came with them, which no program started from here inherits.

    socket.recv_fds would do, but Python 3.11 does not pass its flags on.
    """
    fds = array("i")
    data, ancillary, _, _ = sock.recvmsg(size, socket.CMSG_LEN(fds_max * fds.itemsize), socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    return data, tuple(fds)


def _receive_header(sock: socket.socket) -> tuple[bytes, tuple[int, ...]]:
    """The first bytes of a message: the descriptors come with them, and no other read would get those."""
    try:
        header, fds = receive_fds(sock, _HEADER.size, FDS_MAX)
    except TimeoutError as error:
        raise Late from error
    except OSError as error:
        raise Silence from error
    if not header:
        raise Silence
    return header, fds


def _read(sock: socket.socket, length: int, until: float | None) -> bytes:
    buffer = bytearray(length)
    view, done = memoryview(buffer), 0
    while done < length:
        _wait_at_most(sock, until)
        try:
            got = sock.recv_into(view[done:])
        except TimeoutError as error:
            raise Late from error
        except OSError as error:
            raise Silence from error
        if not got:
            raise Silence
        done += got
    return bytes(buffer)


def _wait_at_most(sock: socket.socket, until: float | None) -> None:
    sock.settimeout(None if until is None else max(until - time.monotonic(), 0.001))


def _take_apart(payload: bytes) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    try:
        (head_length,) = _HEAD_LENGTH.unpack_from(payload)
        start = _HEAD_LENGTH.size + head_length
        document, lengths = json.loads(payload[_HEAD_LENGTH.size : start])
        attached = []
        for length in lengths:
            attached.append(payload[start : start + length])
            start += length
    except (struct.error, ValueError, TypeError, RecursionError) as error:
        raise Nonsense(f"a message that cannot be read: {error}") from error
    if not isinstance(document, dict) or start != len(payload) or [len(item) for item in attached] != lengths:
        raise Nonsense("a message that does not add up")
    return document, tuple(attached)
