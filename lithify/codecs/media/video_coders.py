"""Planes of samples by coders of moving pictures that lose nothing: H.264 at quantiser 0, and FFV1.

Both are decoded bit for bit by specification, whoever wrote the decoder. What an encoder makes is decoded again and
compared before it is kept. One picture is one piece; what a decoder is to be told before is the head.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.codec import Effort
from lithify.codecs.media.fence import fenced, fenced_or_none
from lithify.codecs.media.libav import libav
from lithify.codecs.media.nal_units import join_units, only_slice, parameter_sets, split_units
from lithify.codecs.media.video_planes import Samples
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt

if TYPE_CHECKING:
    from av import VideoFrame

H264, FFV1 = range(2)
_NAMES = {H264: ("libx264", "h264"), FFV1: ("ffv1", "ffv1")}
_PRESETS: dict[Effort, str] = {"fast": "superfast", "default": "slower", "max": "veryslow"}
_CHROMA = {(2, 2): "420", (2, 1): "422", (1, 1): "444", (4, 1): "411"}
"""How many columns and rows of the first plane share a sample of the others, as libraries spell it."""
_DEPTHS = {H264: (8, 10), FFV1: (8, 9, 10, 12, 14, 16)}
_FFV1_CHROMA = {"422": (8, 9, 10, 12, 16), "411": (8,)}
_FFV1_GREY = (8, 10, 12, 16)
_H264_SIDE_MAX, _FFV1_SIDE_MAX = 8192, 16_384
_HEAD_BYTES_MAX = 4096
_FFV1_SLICES = ("1", "4", "6", "9")
_MANY_PICTURES = 8
_ALIGNED = 128
"""Decoders ask for rows of multiples of so many bytes, which counts against the pixels that they may ask for."""


class Coded(NamedTuple):
    """Pictures as a coder keeps them."""

    head: bytes
    pictures: list[bytes]
    """In the order of decoding."""


class Form(NamedTuple):
    """What planes of samples are, as far as a coder is concerned."""

    shapes: tuple[tuple[int, int], ...]
    """Rows and columns of each plane."""
    bits: int
    """Of a sample."""

    @property
    def octets(self) -> int:
        return 1 if self.bits <= 8 else 2

    @property
    def width(self) -> int:
        return self.shapes[0][1]

    @property
    def height(self) -> int:
        return self.shapes[0][0]


def form_of(planes: Sequence[Samples]) -> Form:
    """The form of planes (picture, row, column)."""
    shapes = tuple((plane.shape[1], plane.shape[2]) for plane in planes)
    if planes[0].dtype == np.uint8:
        return Form(shapes, 8)
    return Form(shapes, max(9, *(int(plane.max()).bit_length() for plane in planes)))


def coders_for(form: Form) -> list[tuple[int, int]]:
    """The coders that can keep it, each with the bits of a sample that it is told."""
    found = []
    for coder, depths in _DEPTHS.items():
        fitting = [bits for bits in depths if bits >= form.bits and pixel_format(coder, form._replace(bits=bits))]
        if fitting:
            found.append((coder, fitting[0]))
    return found


def pixel_format(coder: int, form: Form) -> str | None:
    """What libraries call planes of this form; None: the coder does not know them."""
    height, width = form.shapes[0]
    if max(height, width) > (_H264_SIDE_MAX if coder == H264 else _FFV1_SIDE_MAX):
        return None
    depth = "" if form.bits == 8 else f"{form.bits}le"
    if len(form.shapes) == 1:
        fits = form.bits in (_DEPTHS[H264] if coder == H264 else _FFV1_GREY)
        return f"gray{depth}" if fits else None
    for (across, down), name in _CHROMA.items():
        if form.shapes[1] == form.shapes[2] == (-(-height // down), -(-width // across)):
            whole = coder == FFV1 or (name != "411" and width % across == 0 and height % down == 0)
            known = form.bits in (_DEPTHS[H264] if coder == H264 else _FFV1_CHROMA.get(name, _DEPTHS[FFV1]))
            return f"yuv{name}p{depth}" if whole and known else None
    return None


def encode_pictures(coder: int, planes: Sequence[Samples], form: Form, effort: Effort) -> Coded | None:
    """Pictures by a coder that `coders_for` names; None when it cannot, or does not give them back."""
    coded = fenced_or_none(partial(_ENCODERS[coder], planes, form, effort))
    if coded is None:
        return None
    count = len(planes[0])
    try:
        decoded = decode_pictures(coder, coded, form, count)
    except Corrupt as error:
        give_reason(error.message)
        return None
    if all(map(np.array_equal, decoded, planes)):
        return coded
    give_reason(f"{_NAMES[coder]} does not give back {count} pictures: another keeps them")
    return None


def decode_pictures(coder: int, coded: Coded, form: Form, count: int) -> list[Samples]:
    """Exactly `count` pictures: an array (picture, row, column) for each plane. Raises Corrupt, Truncated."""
    if coder not in _NAMES:
        raise Corrupt(f"pictures are kept by coder 0x{coder:02x}, which does not exist")
    expected = pixel_format(coder, form)
    if expected is None:
        raise Corrupt(f"coder 0x{coder:02x} keeps no planes of {form.shapes} in {form.bits} bits")
    if len(coded.head) > _HEAD_BYTES_MAX:
        raise Corrupt(f"the head of pictures has {len(coded.head)} bytes, at most {_HEAD_BYTES_MAX} can be")
    libav()  # says by itself that it is missing; below, whatever is raised means bytes that are wrong
    names = {expected, expected.replace("gray", "yuv420p")}
    kind: type = np.uint8 if form.octets == 1 else np.uint16
    planes: list[Samples] = [np.empty((count, *shape), kind) for shape in form.shapes]
    found = 0
    for frame in fenced("a decoder of moving pictures", lambda: _decoded(coder, coded, form)):
        if found == count:
            raise Corrupt(f"there are more than {count} pictures")
        _read(frame, [plane[found] for plane in planes], form, names)
        found += 1
    if found != count:
        raise Corrupt(f"there are {found} pictures, {count} were expected")
    return planes


# --- encoding -----------------------------------------------------------------------------------------


def _encode_h264(planes: Sequence[Samples], form: Form, effort: Effort) -> Coded:
    count = len(planes[0])
    options = {"qp": "0", "preset": _PRESETS[effort], "g": str(count), "keyint_min": str(count), "slices": "1"}
    head, packets = _encoded(H264, planes, form, options)
    return Coded(join_units(parameter_sets(head)), [only_slice(split_units(packet)) for packet in packets])


def _encode_ffv1(planes: Sequence[Samples], form: Form, effort: Effort) -> Coded:
    """Statistics that go on from picture to picture; many contexts once there is enough to fill them."""
    count = len(planes[0])
    context = str(int(count >= _MANY_PICTURES))
    options = {"level": "3", "coder": "1", "context": context, "slicecrc": "0", "g": str(count)}
    for slices in _FFV1_SLICES:
        with suppress(NotImplementedError):  # what the library says of numbers that do not fit a size
            return Coded(*_encoded(FFV1, planes, form, {**options, "slices": slices}))
    raise Corrupt(f"no number of slices fits pictures of {form.shapes[0]}")


_ENCODERS: dict[int, Callable[[Sequence[Samples], Form, Effort], Coded]] = {H264: _encode_h264, FFV1: _encode_ffv1}


def _encoded(coder: int, planes: Sequence[Samples], form: Form, options: dict[str, str]) -> tuple[bytes, list[bytes]]:
    """What an encoder in one thread makes: of more, x264 makes something else."""
    av = libav()
    context = av.CodecContext.create(_NAMES[coder][0], "w")
    context.width, context.height, context.pix_fmt = form.width, form.height, _known(pixel_format(coder, form))
    context.time_base, context.thread_count, context.options = Fraction(1, 25), 1, options
    context.flags |= av.codec.context.Flags.global_header
    packets = []
    for number in range(len(planes[0])):
        frame = av.VideoFrame(form.width, form.height, context.pix_fmt)
        frame.pts = number
        _write(frame, [plane[number] for plane in planes])
        packets += [bytes(packet) for packet in context.encode(frame)]
    packets += [bytes(packet) for packet in context.encode(None)]
    return bytes(context.extradata or b""), packets


def _known(name: str | None) -> str:
    assert name is not None, "coders_for names only coders that know the form"
    return name


def _write(frame: "VideoFrame", planes: Sequence[Samples]) -> None:
    for lines, plane in zip(_lines(frame), planes, strict=True):
        octets = np.ascontiguousarray(plane).view(np.uint8)
        lines[: octets.shape[0], : octets.shape[1]] = octets


def _lines(frame: "VideoFrame") -> Iterator[U8]:
    """The bytes of each plane, an array (row, byte), with what a library keeps behind the rows."""
    for plane in frame.planes:
        yield np.frombuffer(cast("Any", plane), np.uint8).reshape(-1, plane.line_size)


# --- decoding -----------------------------------------------------------------------------------------


def _decoded(coder: int, coded: Coded, form: Form) -> "list[VideoFrame]":
    """As many frames as a decoder gives for these pieces, none larger than the form."""
    av = libav()
    context = av.CodecContext.create(_NAMES[coder][1], "r")
    wide, high = (-(-side // _ALIGNED) * _ALIGNED for side in (form.width, form.height))
    context.options = {"max_pixels": str(wide * high)}
    context.thread_count, context.width, context.height = 1, form.width, form.height
    if coder == FFV1:
        context.extradata = coded.head
        packets = coded.pictures
    else:
        sets = parameter_sets(coded.head)
        packets = [join_units([*(sets if not number else []), one]) for number, one in enumerate(coded.pictures)]
        for picture in coded.pictures:
            only_slice([picture])
    frames = [frame for packet in packets for frame in context.decode(av.Packet(packet))]
    return frames + list(context.decode(None))


def _read(frame: "VideoFrame", planes: Sequence[Samples], form: Form, names: Container[str]) -> None:
    """The samples of a frame into `planes`. A grey picture may come with colours that say nothing."""
    if frame.format.name not in names or (frame.width, frame.height) != (form.width, form.height):
        found = f"{frame.width} × {frame.height} pixels of {frame.format.name}"
        raise Corrupt(f"a picture has {found}, {form.width} × {form.height} of {names} were expected")
    for lines, plane in zip(_lines(frame), planes, strict=False):
        octets = lines[: plane.shape[0], : plane.shape[1] * form.octets]
        plane[:] = octets if form.octets == 1 else np.ascontiguousarray(octets).view("<u2")
