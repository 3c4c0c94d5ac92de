"""Models make the same of the same bytes when their kernels are interpreted: shades, names, drawings, LZW."""

import hashlib

import numpy as np

from lithify.codecs.media.drawn_model import decode_drawn, encode_drawn
from lithify.codecs.media.gif import Gif
from lithify.codecs.media.names_model import NamesCoder
from lithify.codecs.media.shades_model import decode_shades, encode_shades
from lithify.errors import BadBytes
from tests.elsewhere import INTERPRETED, printed
from tests.unit.codecs.media.gifs import Frame, gif

_SCRIPT = """
from tests.unit.codecs.media.test_models_interpreted import digest_of_models
print(digest_of_models())
"""


def digest_of_models() -> str:
    """What is made of some pictures, and of streams that no picture has made."""
    digest = hashlib.sha256()
    chance = np.random.default_rng(1)
    for channels in (1, 2, 3, 4):
        slope = np.add.outer(np.arange(14) * 9, np.arange(11) * 5)[:, :, np.newaxis] + chance.integers(0, 40, channels)
        picture = (slope + chance.integers(0, 3, (14, 11, channels))).astype(np.uint8)
        stream = encode_shades(picture)
        again = decode_shades(stream, *picture.shape)
        assert again is not None
        assert np.array_equal(picture, again)
        digest.update(stream)
        found = decode_shades(hashlib.sha512(bytes([channels])).digest() * 3, 14, 11, channels)
        digest.update(b"none" if found is None else found.tobytes())
        drawn = np.kron(picture[::4, ::4] // 9, np.ones((3, 4, 1), np.uint8))
        stream = encode_drawn(drawn)
        again = decode_drawn(stream, *drawn.shape)
        assert again is not None
        assert np.array_equal(drawn, again)
        digest.update(stream)
        found = decode_drawn(hashlib.sha512(bytes([channels])).digest(), 9, 8, channels)
        digest.update(b"none" if found is None else found.tobytes())
    for depth in (1, 5, 8):
        names = np.zeros((9, 13), np.uint8)
        NamesCoder(names.size, hashlib.sha512(bytes([depth])).digest()).code(
            names, names.T.copy().reshape(9, 13), depth
        )
        digest.update(names.tobytes())
    data = gif([Frame(17, 9, lazy=True), Frame(9, 8, left=3, seed=2, transparent=1, clear_behind=20)])
    payload = Gif().encode_file(data)
    digest.update(payload)
    for at in range(len(payload) - 40, len(payload), 9):
        try:
            damaged = payload[:at] + bytes([payload[at] ^ 0x41]) + payload[at + 1 :]
            digest.update(Gif().decode(damaged, shared=b"", length=len(data)))
        except BadBytes:
            digest.update(b"refused")
    return digest.hexdigest()


def test_models_are_the_same_when_their_kernels_are_interpreted() -> None:
    assert digest_of_models() == printed(_SCRIPT, INTERPRETED)
