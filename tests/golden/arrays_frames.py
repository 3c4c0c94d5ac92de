"""How the golden frames of the arrays family were made: small files, each chunk of a frame one of them."""

import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.arrays.ccsds import UNCODED, fold, tell
from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Element, one_tile
from lithify.codecs.arrays.inflated import Place, inflate, shuffled
from lithify.codecs.arrays.payload import INFLATED, Encoded, Wanted, checked_head, encode, encode_file, pack_piece
from lithify.codecs.arrays.skeleton import METHODS
from lithify.codecs.arrays.streams import pack_streams
from lithify.codecs.arrays.values import Floor
from lithify.codecs.frame import FrameWriter
from tests.unit.codecs.arrays.fields import blocky, scenes, stretched, waves
from tests.unit.codecs.arrays.files import (
    Nc3Variable,
    Numbers,
    Packed2,
    grib1,
    grib2,
    grouped,
    lzw,
    netcdf3,
    npy,
    second_order,
    smooth,
    tiff,
)

WHOLE = b"\xff\x00 noise", *(b"rock and %s, " % word * 9 for word in (b"sand", b"silt", b"clay", b"loess"))
TYPES = "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"
PACKED = smooth((6, 16, 18), "u2")
FILES = (
    *(npy(smooth((4, 16, 18) if name in ("u1", "i1") else (3, 10, 12), name, seed)) for seed, name in enumerate(TYPES)),
    netcdf3([Nc3Variable(name, ["time", "y", "x"], smooth((3, 6, 7), "f4", seed)) for seed, name in enumerate("ab")]),
    tiff([smooth((18, 20), "f4")], tile=16),
    grib1(PACKED, 16),
    grib2(PACKED, 15),
    grib1(PACKED, 25),
)
_FEW = (np.arange(-60, 61) ** 3 / 700).astype("f4")
FEW = npy(_FEW[np.abs(_FEW[:, None] - smooth((8, 30, 32), "f4").reshape(1, -1) * 60).argmin(0)].reshape(8, 30, 32))
COUNTED = npy(stretched((6, 40, 44)))
FAR = npy(np.rint(300 * waves((5, 48, 54), 6)).astype("i2"))
LOOSENED = npy(smooth((3, 24, 26), "f4")), npy(smooth((6, 7), "f8"))
TOLD = (
    tiff([smooth((14, 16, 2), "u2")], predictor=2),
    tiff([smooth((14, 16), "i4")], order=">", predictor=2),
    tiff([smooth((14, 12), "f4")], predictor=3),
    tiff([smooth((14, 12, 2), "f8")], order=">", predictor=3),
)
STRIPS = (
    tiff([smooth((14, 16), "u2")], predictor=1, packed=lzw),
    tiff([smooth((60, 64), "i2")], order=">", predictor=2, packed=lzw),
)


def _ruled() -> Numbers:
    """Frames of which each is folded out of the one before."""
    chance = np.random.default_rng(9)
    frames = [chance.integers(-300, 300, (40, 40)).cumsum(axis=0).cumsum(axis=1) // 900]
    for _ in range(20):
        around = frames[-1] + np.roll(frames[-1], 1, axis=0) + np.roll(frames[-1], 1, axis=1)
        frames.append(400 - np.abs(19 * around // 30) + chance.integers(-4, 5, (40, 40)))
    return np.array(frames).astype("<i2")


RULED = npy(_ruled())
NUMBERS = smooth((12, 15), "f4")
STREAM = zlib.compress(shuffled(NUMBERS.tobytes(), 4))
DEFLATED = b"before " + STREAM + b" behind"


def _ccsds(frame: Numbers, bits: int) -> Packed2:
    """Values by CCSDS 121.0, with a recipe: no block is told as it would be by the rule."""
    codes = np.zeros(-(-frame.size // 16) * 16, np.uint32)
    fold(frame.reshape(-1).astype(np.uint32), bits, 16 * 8, codes)
    units: U8 = np.tile(np.array([UNCODED, bits - 3], np.uint8), len(codes) // 16)
    out = np.zeros(8 * codes.nbytes, np.uint8)
    _, used = tell(codes, bits, 16, 8, True, units, len(codes) // 16, out)
    return 42, bytes([bits, 0, 14, 16, 0, 8]), out[: -(-used // 8)].tobytes()


def _holed() -> Numbers:
    found = PACKED.astype("u4")
    found[:, 4:9, 3:] = (1 << 24) - 1
    found[2:, 9:, :5] = (1 << 24) - 2
    return found


CODED = (
    grib2(PACKED, 15, pack=_ccsds)
    + b"between"
    + grib2(PACKED[:4], 15, pack=grouped(2))
    + grib2(_holed(), 15, pack=grouped(1, missing=2))
    + grib1(PACKED, 15, pack=second_order(2, backwards=True))
    + b"behind"
)


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


def behind_rows_of_differences() -> bytes:
    """TIFFs whose rows are differences of numbers, and of bytes of floats, in both orders."""
    return _framed([encode_file(file, "default", None).payload for file in TOLD], TOLD)


def behind_lzw() -> bytes:
    """TIFFs whose strips went through LZW, one of them so long that the table is cleared in it."""
    return _framed([encode_file(file, "default", None).payload for file in STRIPS], STRIPS)


def behind_streams_of_numbers() -> bytes:
    """Messages of GRIB by CCSDS, in groups of differences, with and without holes, and in second order."""
    return _framed([encode_file(CODED, "default", None).payload], [CODED])


def of_few_values() -> bytes:
    """A file of few values that stand unevenly: ranks, predicted by where they stand."""
    return _framed([encode_file(FEW, "default", None).payload], [FEW])


def of_counted_numbers() -> bytes:
    """A file of numbers of which some come far more often than those around them."""
    return _framed([encode_file(COUNTED, "default", None).payload], [COUNTED])


def looking_far() -> bytes:
    """A file of long waves: guesses look far, in its first frame, those behind it and with the mean of all before."""
    return _framed([encode_file(FAR, "default", None).payload], [FAR])


def refined() -> bytes:
    """A file of frames that follow a rule: a network refines guesses."""
    return _framed([encode_file(RULED, "max", None).payload], [RULED])


def above_a_floor() -> bytes:
    """A file whose array is a wavelet alone, and one whose values are on an even grid."""
    return _loosened("above_a_floor", [encode_file(file, "default", Floor("psnr", 45)) for file in LOOSENED])


def by_other_coders() -> bytes:
    """A file whose array is a film, and one whose numbers are pictures."""
    film, pictures = npy(scenes(7)), npy(blocky())
    return _loosened("other_coders", [encode_file(film, "max", Floor("psnr", 36)), encode_file(pictures, "max", None)])


def _loosened(name: str, found: Sequence[Encoded]) -> bytes:
    path = _original_of(name)
    if not path.exists():
        path.write_bytes(b"".join(one.decoded for one in found))
    return _framed([one.payload for one in found], [one.decoded for one in found])


def _original_of(name: str) -> Path:
    """Where what came back of loosened files is kept: another encoder would make something else of them."""
    return Path(__file__).with_name(f"v0_1_0__arrays_values__{name}.original")


def loosened(name: str, make: Callable[[], bytes]) -> bytes:
    """What comes back of loosened files."""
    if not _original_of(name).exists():
        make()
    return _original_of(name).read_bytes()


ARRAYS: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "general_methods": (by_general_methods, b"".join(WHOLE)),
    "every_type": (as_arrays, b"".join(FILES)),
    "a_stream": (behind_a_stream, DEFLATED),
    "rows_of_differences": (behind_rows_of_differences, b"".join(TOLD)),
    "strips_of_lzw": (behind_lzw, b"".join(STRIPS)),
    "streams_of_numbers": (behind_streams_of_numbers, CODED),
    "few_values": (of_few_values, FEW),
    "counted_numbers": (of_counted_numbers, COUNTED),
    "looking_far": (looking_far, FAR),
    "refined": (refined, RULED),
    "above_a_floor": (above_a_floor, loosened("above_a_floor", above_a_floor)),
    "other_coders": (by_other_coders, loosened("other_coders", by_other_coders)),
}
