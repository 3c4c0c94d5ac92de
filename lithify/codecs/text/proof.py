"""Whether this machine computes what every other does: some texts whose streams are known, before anything is trusted.

The kernel is integers only, and what was learnt has a digest; this is for compilers that are wrong, and memory that is.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache

from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.learnt import Learnt, languages, learnt
from lithify.codecs.text.mixing import decode_read, decode_text, encode_read, encode_text
from lithify.codecs.text.models import ENGLISH, LANGUAGES, NETWORK
from lithify.codecs.text.network import Trained, trained
from lithify.errors import Unsound

TEXT = (
    b'Caf\xc3\xa9, 07:15. "It settles," she said, "and turns to rock."\n'
    b"def settle(grains: list[int]) -> int:\n    return sum(grains)\n"
    b'<p class="note">See <a href="https://example.org/rock">rock</a></p>\n{"grains": [1, 2, 3], "rock": null}\n'
    b"\x00\xff\xfe It settles, it settles, it settles.\r\n"
)
STREAMS = ENGLISH.streams
READ_STREAMS = NETWORK.streams


def streams_digest(tables: Learnt) -> str:
    """The SHA-256 of the text's streams in all classes that these tables are for, one after another."""
    return _digest(
        tables.classes,
        lambda one: encode_text(TEXT, tables, one),
        lambda one, stream: decode_text(stream, len(TEXT), tables, one),
    )


def read_streams_digest(network: Trained) -> str:
    """The same in all classes that the network knows, with it reading along."""
    return _digest(
        FIRST_CLASSES,
        lambda one: encode_read(TEXT, network, one),
        lambda one, stream: decode_read(stream, len(TEXT), network, one),
    )


def _digest(
    classes: Iterable[TextClass],
    encode: Callable[[TextClass], bytes | None],
    decode: Callable[[TextClass, bytes], bytes],
) -> str:
    digest = hashlib.sha256()
    for text_class in classes:
        stream = encode(text_class)
        assert stream is not None, "the text gets smaller in every class"
        if decode(text_class, stream) != TEXT:
            raise Unsound(f"on this machine text of class {text_class.name} does not come back: it is not encoded here")
        digest.update(stream)
    return digest.hexdigest()


@cache
def proved() -> Learnt:
    """The tables, once their streams are what they are everywhere. Raises Unsound if they are not."""
    return prove(learnt(), STREAMS)


@cache
def proved_languages() -> Learnt:
    """The same of the tables for languages other than English."""
    return prove(languages(), LANGUAGES.streams)


def proved_for(text_class: TextClass) -> Learnt:
    """The tables that this class is mixed with. Raises Unsound as `proved`."""
    return proved_languages() if text_class is TextClass.LANGUAGES else proved()


def prove(tables: Learnt, streams: str) -> Learnt:
    """These tables, if the SHA-256 of their streams is what it is everywhere. Raises Unsound if it is not."""
    found = streams_digest(tables)
    if found != streams:
        raise Unsound(
            f"on this machine the text codec writes {found[:12]}… where {streams[:12]}… is right: text is neither "
            "encoded nor decoded here"
        )
    return tables


@cache
def proved_network() -> Trained:
    """The network, once its streams are what they are everywhere. Raises Unsound if they are not."""
    proved()
    return prove_network(trained(), READ_STREAMS)


def prove_network(network: Trained, streams: str) -> Trained:
    """This network, if the SHA-256 of its streams is what it is everywhere. Raises Unsound if it is not."""
    found = read_streams_digest(network)
    if found != streams:
        raise Unsound(
            f"on this machine the network of the text codec writes {found[:12]}… where {streams[:12]}… is right: "
            "it is neither used nor are its texts decoded here"
        )
    return network
