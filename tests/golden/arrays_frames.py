"""How the golden frames of the arrays family were made: small files, each chunk of a frame one of them."""

import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Element, one_tile
from lithify.codecs.arrays.inflated import Place, inflate, shuffled
from lithify.codecs.arrays.payload import INFLATED, Wanted, checked_head, encode, encode_file, pack_piece
from lithify.codecs.arrays.skeleton import METHODS
from lithify.codecs.arrays.streams import pack_streams
from lithify.codecs.arrays.values import Floor
from lithify.codecs.frame import FrameWriter
from tests.unit.codecs.arrays.files import Nc3Variable, grib1, grib2, netcdf3, npy, smooth, tiff

WHOLE = b"\xff\x00 noise", *(b"rock and %s, " % word * 9 for word in (b"sand", b"silt", b"clay", b"loess"))
TYPES = "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"
PACKED = smooth((6, 16, 18), "u2")
FILES = (
    *(npy(smooth((4, 16, 18) if name in ("u1", "i1") else (3, 10, 12), name, seed)) for seed, name in enumerate(TYPES)),
    netcdf3([Nc3Variable(name, ["time", "y", "x"], smooth((3, 4, 5), "f4", seed)) for seed, name in enumerate("ab")]),
    tiff([smooth((18, 20), "f4")], tile=16),
    grib1(PACKED, 16),
    grib2(PACKED, 15),
    grib1(PACKED, 25),
)
_FEW = (np.arange(-60, 61) ** 3 / 700).astype("f4")
FEW = npy(
    _FEW[np.abs(_FEW[:, None] - (smooth((12, 22, 24), "f4").reshape(1, -1) - 20) * 8).argmin(0)].reshape(12, 22, 24)
)
LOOSENED = npy(smooth((3, 24, 26), "f4")), npy(smooth((6, 7), "f8"))
NUMBERS = smooth((12, 15), "f4")
STREAM = zlib.compress(shuffled(NUMBERS.tobytes(), 4))
DEFLATED = b"before " + STREAM + b" behind"


def _framed(payloads: Sequence[bytes], files: Sequence[bytes]) -> bytes:
    writer = FrameWriter(out := io.BytesIO())
    sink = writer.sink(Arrays())
    for payload, file in zip(payloads, files, strict=True):
        sink.chunk(payload, file)
    writer.finish()
    return out.getvalue()


def by_general_methods() -> bytes:
    """Each file by another general coder."""
    packed = [codec().encode_block(file) for codec, file in zip(METHODS.values(), WHOLE[1:], strict=True)]
    return _framed([bytes([0]) + WHOLE[0], *(bytes([n]) + one for n, one in zip(METHODS, packed, strict=True))], WHOLE)


def as_arrays() -> bytes:
    """Files with numbers of every type, in tiles, records, packed bits and scales."""
    return _framed([encode_file(file, "default", None).payload for file in FILES], FILES)


def behind_a_stream() -> bytes:
    """A file that holds a zlib stream of shuffled numbers."""
    plain, inflated = inflate(DEFLATED, [Place(7, len(STREAM), NUMBERS.nbytes, 4)])
    table, recipes = pack_streams(inflated)
    array = Variable("", one_tile(Element("f4"), NUMBERS.shape, 7))
    inner = encode(plain, [Wanted(array)], "default").payload
    head = bytes([INFLATED]) + checked_head(pack_piece(table, "default") + pack_piece(recipes, "default"))
    return _framed([head + inner], [DEFLATED])


def of_few_values() -> bytes:
    """A file of few values that stand unevenly: ranks, predicted by where they stand."""
    return _framed([encode_file(FEW, "default", None).payload], [FEW])


def above_a_floor() -> bytes:
    """A file whose array is a wavelet alone, and one whose values are on an even grid."""
    found = [encode_file(file, "default", Floor("psnr", 45)) for file in LOOSENED]
    path = _loosened_path()
    if not path.exists():
        path.write_bytes(b"".join(one.decoded for one in found))
    return _framed([one.payload for one in found], [one.decoded for one in found])


def _loosened_path() -> Path:
    """Where what came back of the loosened files is kept: another encoder would make something else of them."""
    return Path(__file__).with_name("v0_1_0__arrays_values__above_a_floor.original")


def loosened() -> bytes:
    """What comes back of the loosened files."""
    if not _loosened_path().exists():
        above_a_floor()
    return _loosened_path().read_bytes()


ARRAYS: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "general_methods": (by_general_methods, b"".join(WHOLE)),
    "every_type": (as_arrays, b"".join(FILES)),
    "a_stream": (behind_a_stream, DEFLATED),
    "few_values": (of_few_values, FEW),
    "above_a_floor": (above_a_floor, loosened()),
}
