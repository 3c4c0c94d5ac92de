"""The protocol between worker and child: nothing a child says can make the worker stumble."""

import os
import socket
import struct
import tempfile
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithify import limits
from lithify.workers import wire

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_document_arrives_with_its_attachments_and_descriptors(pair: Pair) -> None:
    ours, theirs = pair
    with tempfile.TemporaryFile() as file:
        wire.send(ours, wire.TASK, {"name": "Größe", "n": [1, None]}, [b"", b"\x00\xff" * 50], [file.fileno()])
        message = wire.receive(theirs)
        assert (wire.TASK, {"name": "Größe", "n": [1, None]}) == (message.type, message.document)
        assert (b"", b"\x00\xff" * 50) == message.attached
        (fd,) = message.fds
        assert os.fstat(fd).st_ino == os.fstat(file.fileno()).st_ino
        assert not os.get_inheritable(fd), "programs that a codec starts must not get it"
        os.close(fd)


def test_data_arrives_as_it_is(pair: Pair) -> None:
    ours, theirs = pair
    wire.send_data(ours, memoryview(b"abc")[1:])
    wire.send_data(ours, b"")
    assert [b"bc", b""] == [wire.receive(theirs).data, wire.receive(theirs).data]


def test_a_closed_socket_is_silence_wherever_it_closes(pair: Pair) -> None:
    ours, theirs = pair
    ours.sendall(struct.pack("<IB", 100, wire.DATA) + b"half of it")
    ours.close()
    for _ in range(2):
        with pytest.raises(wire.Silence):
            wire.receive(theirs)


@pytest.mark.parametrize("said", [b"", b"\x05", struct.pack("<IB", 100, wire.RESULT) + b"half"])
def test_a_message_that_does_not_end_is_late(pair: Pair, said: bytes) -> None:
    ours, theirs = pair
    ours.sendall(said)
    with pytest.raises(wire.Late):
        wire.receive(theirs, until=time.monotonic() + 0.02)


def test_nothing_is_allocated_for_a_length_over_the_limit(pair: Pair) -> None:
    ours, theirs = pair
    ours.sendall(struct.pack("<IB", limits.CHILD_MESSAGE_BYTES_MAX + 1, wire.DATA))
    with pytest.raises(wire.Nonsense, match="at most"):
        wire.receive(theirs)


def test_a_message_over_the_limit_is_not_sent(pair: Pair) -> None:
    with pytest.raises(wire.Nonsense, match="at most"):
        wire.send(pair[0], wire.TASK, {}, [bytes(limits.CHILD_MESSAGE_BYTES_MAX)])


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, 60), st.binary(max_size=60)).map(lambda it: struct.pack("<I", it[0]) + it[1]),
        st.tuples(st.lists(st.integers(-5, 50), max_size=4), st.binary(max_size=60)).map(
            lambda it: struct.pack("<I", len(f"[{{}},{it[0]}]")) + f"[{{}},{it[0]}]".encode() + it[1]
        ),
        st.integers(1, 3000).map(lambda depth: struct.pack("<I", depth) + b"[" * depth),
    )
)
def test_whatever_a_child_says_is_a_message_or_nonsense(payload: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(struct.pack("<IB", len(payload), wire.RESULT) + payload)
        try:
            message = wire.receive(theirs, until=time.monotonic() + 5)
        except wire.Nonsense:
            return
        assert isinstance(message.document, dict)
        assert sum(map(len, message.attached)) < len(payload)
