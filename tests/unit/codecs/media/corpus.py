"""Small pictures and sounds, made here or written out, for tests of the media family."""

import base64
import math
import random
import struct
import zlib

PHOTO = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEmKzcvJik0KSEiMEExNDk7Pj4+JS5ESU"
    "M8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAAo"
    "ADADASIAAhEBAxEB/8QAGgABAQADAQEAAAAAAAAAAAAABQABAwQGB//EAB0QAAICAgMBAAAAAAAAAAAAAAABAxEEIQITMUH/xAAXAQEBAQEAAA"
    "AAAAAAAAAAAAAEBgUH/8QAHxEAAQMEAwEAAAAAAAAAAAAAAAEDBAIFISIREhQT/9oADAMBAAIRAxEAPwAXDlVIWhmTR5fDndIWhndItnnMlV79"
    "Rnt416Sm436Gdza9M8Z3foX6Ercp+R7HlVobw5lo8ljzO1sbwpnoBIcwYTc/Y+dYcLpC8MDo14cKpC0MCpaCPT8nRkganH0v6Z4wuxHpVGVCl8"
    "C+8lLlAypoxoXa0N4cLVenPjwqxvDhWgMifgw24Gx87w5loWhmVEQV+peTqKPV9Td38aJTIiC9lJO5PV8qduPOrQ3hTrWyIDIqXgw23q+x/9k="
)
"""48 × 40 pixels in colour, baseline, with halved chroma."""
THUMBNAIL = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4"
    "x9lnN+gXz/wAALCAAOABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABQb/xAAaEAACAgMAAAAAAAAAAAAAAAAABQECAyEx/9oACAEBAAA/AAV+"
    "PhTL8fAJfSNFMvpGj//Z"
)
"""16 × 14 pixels in grey."""
PROGRESSIVE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYV"
    "pQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wgARCAAY"
    "ABgDASIAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAAQCA//EABcBAQEBAQAAAAAAAAAAAAAAAAQCAwX/2gAMAwEAAhADEAAAAZaIKOm+pw"
    "QOSgwRoQP/xAAXEAEBAQEAAAAAAAAAAAAAAAAAAQIR/9oACAEBAAEFAs1K6zUrrMSOP//EABsRAAEEAwAAAAAAAAAAAAAAAAABAhEhAxIT/9oA"
    "CAEDAQE/Ae1D81mqQPakn//EABgRAAMBAQAAAAAAAAAAAAAAAAABAhES/9oACAECAQE/AaZpVM6Z/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAA"
    "gBAQAGPwIf/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQABPyEQAB//2gAMAwEAAgADAAAAEFAHvf/EABURAQEAAAAAAAAAAAAAAAAAABAB"
    "/9oACAEDAQE/EAsJv//EABYRAQEBAAAAAAAAAAAAAAAAABARIf/aAAgBAgEBPxDc3F//xAAXEAADAQAAAAAAAAAAAAAAAAAAAREx/9oACAEBAA"
    "E/EFRCIRNHxDYXNHRDYWf/2Q=="
)
"""24 × 24 pixels in colour, in several scans."""
PNG_COLOUR = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAABLElEQVR4nB1TW09cVRRet73P1H/gi743+mJSUx/UNEaTptKmNARimyIwIlBogB"
    "Sq5ZIJYBlaghRokY5FqRSlWqjNaKptE03Vv8TM2TfXIWeffVmXvdb6vrWhpdzd2tvXfmnwk+Hhi6NXusavliemBiqVy3Pzo9X58RuLU0urldvr"
    "c7Xa/L3Nxa0HSw92Vh7tbuw9qdXrW7//uf3sxS/PX+6//A/P9nYZEpGMgOwrYsQyGyvGGGAWMpllMZkRJrZWdSoUQ1bVkmVCljP9BJkMBKFoKC"
    "9lzoK3lFtuCh8IR+ZQYi8cGJ2YcCQ2DHkDXgiEQolchkCSZxAse37z2FGDxJxsQmOZEATpMDJYRkOaQDKcsgRs2WAyApbAoA4ko15gJBohOeI9"
    "Z0SByUaJmqJaA1N2WeulAAABLElEQVTKgAESq39k46z6cEJRDRSRilsgSYhiQYDIB+j+7GxfX1t/f8fI5QLrq1/0Tk73z8yNzFwfXrg5dmNpYn"
    "llcm19trYxt7m5+MP2yk87a49+vrv3+Lt6/f5vT3eePX/4l2L97xMs97RoQaJ5iDVMpZLGY6PoG8O2ZIgK+AXF6EFAWGHWOtRAB5UUfjk8qmGz"
    "kZxPwUlsiPex6cB5iB585PwAg+PUpNCkmKtcgk8ul+gohBSdNBz4JkaHyfFbR18rctDKQfFIioEAMBKh7kkgUEJCUS1iLKgApSrpRsGipDbIoA"
    "ZReYyeciLNyRr0mPDQI2dIMSnaHJNniClZoKiJYtRbLERAiwCITm0Amwa6zxzva3tvsOPDkYsnx7tPTZRbpj5vnR1qnx+5sDDWuXTQBnuHAAAB"
    "KElEQVStZ63Svz5z6W519PvFK9vL1x6uVnbvVPa/rdbvL/yxfevF7u2/99b/eVzDno/fLvrzEFzJGIzJSJRtKkl22M7a49rNVo0KsehWSSkIYO"
    "VGnwBbrdxm5PLQDF7nPE8+j/4gep/yEEPuvQvF3AyhkUKOIVe76IMPIfhcJZQKcvSA3iG/8fqrqFVrEDQxaMMpzAWOoH80CgIja8tF4KCKJBgB"
    "ImNKurJ+RIq1ruIOIJQgNgAlkCX1wEYiC3nSPXuMEcEJZNFbzyGloBEUcH3YeWqAUpBUkEKC0+8ca33/eMeJdy98cKLr1EflMycHzp0eaj83cr"
    "5trPP8VM+nlb7O2cHe6ujAzfGhr78cuzM9sVGZvHd9emvhqx+Xqrsry/vf3Pq1tvo/QMqbyRltEqoAAAAQdEVYdFRpdGxlAEl0IHNldHRsZXNd"
    "j8dkAAAAAElFTkSuQmCCdGFpbA=="
)
"""16 × 24 pixels, all five filters, image data in several chunks, something behind the end."""
PNG_DEEP = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAA4AAAAMEAAAAAAnew9FAAABZ0lEQVR4nAFcAaP+AE3PVURaxGD3Z85wfHZnfSGGdo2ilWma0KM7qmYBT04K2Q"
    "f7CuEEewfQCQEG8QgoBqMI/whHB9YGiQIFYQS6BIgCugXcBmkDNgXZBIkD7QQOA+gGegWQAzH/BvIFDgSbCGwFiQeOBB0GNAlrB6EEGwQ7BzQE"
    "BPkDSwVwBJ0EQQbuA2oE/QTTA0AA3AZrBRwEWQBhOmjQcfR31oBAhaGMdZTNl/mix6pJr8W5Lr8jAWC3ChsHSAfWCLkJCgbMBxYIyQR2CyEFUA"
    "kuBUQCAz0BIAUCA+gByQBoAMMBWQAiBZL/DwJMALoC4AM1+gREA0UFAAZlAgQGmAJBBTYG0wO1BC0FSwQuBP57/zoAl//8/Z8F7ACAAuQAcv7L"
    "AEL/O//8AS0AZIBqs3EMeWqCZIlAjeuV/Jt0oxysC7MXu4rDLQFhwwjeBeMHhAlSCgYETgZXCQYIwgQhCpcFdQqmtst19fPl5MUAAAAQdEVYdF"
    "RpdGxlAEl0IHNldHRsZXNdj8dkAAAAAElFTkSuQmCC"
)
"""Grey of 16 bits."""
PNG_PALETTE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACgAAAAUCAMAAADImI+JAAAAFVBMVEUAAP8lW/5Ktv1vEfyUbPu5x/reIvlUPXH/AAAAAnRSTlMAgJsrThgAAA"
    "BrSURBVHiclZBBCsAgDASTmPb/7xWEds1BkYRu57BgCKujCFBgoAEHF7hBrKwsoyNMSBrROBBO3Kq0R0A28jKmBX28rKOzjUJ4zBW1b4+QSZ8H"
    "jlnLGkcy42UIj7kS/1MqbDL0zYdM5vFP5gEZoBQXfUyEuQAAABB0RVh0VGl0bGUASXQgc2V0dGxlc12Px2QAAAAASUVORK5CYII="
)
"""Seven colours, two of them not opaque."""
PNG_INTERLACED = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABUAAAATAgAAAAFnkjFgAAAAg0lEQVR42mNQYCxhEmEoYexgCmGQFmDc+J9BmoFR+ilToANzNQcLAwMD63oWxq"
    "hpGUxAJnOTWR2LY6gLUIyBkXVVIFgsIucGSBlD1IcAxvVhsyFiq/2A6gIYGEJX/WdwYGQIDQ1ldADJgCRBnFAzFggPrCK0gXEVUCxUDK5Eu1Fb"
    "mxsAaMUeIYFd0uQAAAAQdEVYdFRpdGxlAEl0IHNldHRsZXNdj8dkAAAAAElFTkSuQmCC"
)
"""Grey of 2 bits, in the seven passes of Adam7."""
PNG_COLOURS = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAYCAMAAACsjQ8GAAAAwFBMVEVAMKjYolxMOaLEk2bcpVrgqFj0t05gSJhQPKDkq1aMaYKsgXKQbICgeH"
    "jAkGhUP56ke3awhHDMmWL4ukwsIbJsUZIMCcK0h25YQpzssVIcFbp4WowYErwEA8b8vUpcRZoIBsS8jWq4imzQnGBoTpRINqRkS5YQDMAUD76Y"
    "cnwkG7Y0J66Ub36AYIjwtFA8LarIlmQoHrQgGLiEY4ZwVJAAAMicdXowJLB8XYpEM6Y4KqzUn150V46ofnSIZoTorlQqD2qrAAAB1ElEQVR4nC"
    "2SW5NDQBSEp+SBCkJShAopKysStxKXHaLw/3/W9jk8z6nu/rpH/N1/XuGtzRtnmsT3qVlRlCZuH4zVeiwzaYr7/fV+470pilo8Fc2PoiTp53Fc"
    "j4YhpS3uP1dSaIahxoGGAxXvc9Cta1lKEwfX9ztsG4cdFMVnh3msuiMcTNsWVxLIc6fAO0Xw09SFwNgdjSyT9iKuLwjkzVBMNQT2iHPVrYZR4h"
    "0Hm0OxOViRmiZAYAYk0M84uLWt4wwFHDTNUlUkoAiImMll0cUrhAAcaghoJOD2/TjCgRiWs4eDFg6IQBF9cnDngCKUUpo6LEIwIEJdf5+K5fP7"
    "XFVUAiBJARHwDgZq0Y8IAYwcERk9T4TbASJoXEKCiHjfGbxY3OAwTBxRi1SqGQJoqTTNZfHogFuqtxZpp4AYUKO0EfFxEm0OhJoUrK2EYC8BEf"
    "VHjAPsxEMrvq+qrtuPYKCazYUENoWJGFFCSg4BGOmrgPFMCtwi7UQR054YOgNDcgmP04cO+K/xkPhq/NcMYtS9R3w4COw08U5oMeWI60o/YSGB"
    "+AAFZysBNYOBdoJDSQiU4PMRmIl2ssCQurQTd7AnOFwuYt+JGXreCQgZM8bx5/L7D9amZ4IuW0jPAAAAEHRFWHRUaXRsZQBJdCBzZXR0bGVzXY"
    "/HZAAAAABJRU5ErkJggg=="
)
"""A palette in no order of brightness."""
PNGS = (PNG_COLOUR, PNG_DEEP, PNG_PALETTE, PNG_INTERLACED, PNG_COLOURS)


# --- pictures that others wrote ---------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def camera_jpeg() -> bytes:
    """A photograph as cameras write it: a thumbnail in its Exif segment, a comment, and something behind its end."""
    exif = segment(0xE1, b"Exif\0\0II*\0" + b"made by a camera of no name " * 4 + THUMBNAIL + b"\0\0")
    return PHOTO[:2] + exif + segment(0xFE, b"a river, settling") + PHOTO[2:] + b"and a tail\n"


def two_jpegs() -> bytes:
    """One behind another, and things that only look like a JPEG."""
    return b"\xff\xd8\xff\xd9" + PROGRESSIVE + b"\xff\xd8\xff\xe0\0" + THUMBNAIL[:-2] + b"\xff\xd8\xff"


# --- sound ------------------------------------------------------------------------------------------------


def tone(frames: int, channels: int, loud: float, *, seed: int = 1) -> list[list[int]]:
    """Some voices and a little noise, all within `loud`."""
    chance = random.Random(seed)
    pitch = [0.01 + 0.02 * chance.random() for _ in range(3)]
    made = []
    for frame in range(frames):
        voices = sum(math.sin(frame * each) for each in pitch) / 3.5
        made.append([round(loud * (voices * (1 - 0.2 * c) + 0.01 * chance.gauss(0, 1)) * 0.9) for c in range(channels)])
    return made


def sample_bytes(frames: list[list[int]], width: int, *, big: bool = False) -> bytes:
    """Frames of signed samples."""
    order = "big" if big else "little"
    most = (1 << (8 * width - 1)) - 1
    return b"".join(
        max(-most, min(most, x)).to_bytes(width, order, signed=True)  # type: ignore[arg-type] # one of two
        for frame in frames
        for x in frame
    )


def floats(frames: list[list[int]], scale: float) -> bytes:
    """Frames of samples of 32 bits, scaled."""
    return b"".join(struct.pack("<f", x * scale) for frame in frames for x in frame)


def wav(data: bytes, channels: int, width: int, *, code: int = 1, tail: bytes = b"", head: bytes = b"") -> bytes:
    """A WAV of these samples, with chunks before and behind them."""
    form = struct.pack("<HHIIHH", code, channels, 8000, 8000 * channels * width, channels * width, 8 * width)
    body = (
        b"WAVE" + b"fmt " + struct.pack("<I", 16) + form + head + b"data" + struct.pack("<I", len(data)) + data + tail
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def aiff(data: bytes, channels: int, width: int) -> bytes:
    """An AIFF of these samples."""
    frames = len(data) // (channels * width)
    comm = struct.pack(">hIh", channels, frames, 8 * width) + bytes.fromhex("400bfa00000000000000")
    body = b"AIFF" + b"COMM" + struct.pack(">I", 18) + comm
    body += b"NAME" + struct.pack(">I", 3) + b"one\0" + b"SSND" + struct.pack(">III", len(data) + 8, 0, 0) + data
    return b"FORM" + struct.pack(">I", len(body)) + body


# --- pixels -----------------------------------------------------------------------------------------------


def slope(height: int, width: int, channels: int, most: int, *, seed: int = 1) -> list[list[int]]:
    """Rows of samples of a picture: a slope, a wave, and a little noise."""
    chance = random.Random(seed)
    return [
        [
            min(
                most,
                max(0, round(most * (0.3 + 0.4 * x / width + 0.1 * math.sin(y / 5 + c)) + chance.gauss(0, most / 200))),
            )
            for x in range(width)
            for c in range(channels)
        ]
        for y in range(height)
    ]


def row_bytes(rows: list[list[int]], octets: int = 1, *, big: bool = False, padding: bytes = b"") -> bytes:
    """Rows of unsigned samples, each with what stands behind it."""
    order = "big" if big else "little"
    return b"".join(
        b"".join(x.to_bytes(octets, order) for x in row) + padding  # type: ignore[arg-type] # one of two
        for row in rows
    )


def bmp() -> bytes:
    """21 × 16 pixels, blue first, rows filled up to four bytes."""
    pixels = row_bytes(slope(16, 21, 3, 255), padding=b"pad"[: -21 * 3 % 4])
    head = struct.pack("<IiiHHIIiiII", 40, 21, 16, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + head + pixels


def tiff(height: int = 12, width: int = 10, *, big: bool = True, signed: bool = True) -> bytes:
    """Grey of 16 bits in strips of five rows, with something between them."""
    order = ">" if big else "<"
    rows = row_bytes(slope(height, width, 1, 30_000), 2, big=big)
    strips = [rows[at : at + 10 * width] for at in range(0, len(rows), 10 * width)]
    data, starts = bytearray(b"MM\0*" if big else b"II*\0") + bytes(4), []
    for strip in strips:
        starts.append(len(data))
        data += strip + b"gap!" * (len(starts) == 1)
    lists = len(data)
    data += b"".join(struct.pack(order + "I", start) for start in starts)
    data += b"".join(struct.pack(order + "I", len(strip)) for strip in strips)
    data[4:8] = struct.pack(order + "I", len(data))
    count = len(strips)
    short, long = 3, 4
    entries = [
        (256, short, 1, width), (257, short, 1, height), (258, short, 1, 16), (259, short, 1, 1), (262, short, 1, 1),
        (273, long, count, lists), (277, short, 1, 1), (278, short, 1, 5), (279, long, count, lists + 4 * count),
        (339, short, 1, 2 if signed else 1),
    ]  # fmt: skip
    data += struct.pack(order + "H", len(entries))
    for tag, kind, many, value in entries:
        body = struct.pack(order + "HH", value, 0) if kind == short else struct.pack(order + "I", value)
        data += struct.pack(order + "HHI", tag, kind, many) + body
    return bytes(data) + bytes(4)


def packed_tiff() -> bytes:
    """A TIFF of 8 bits in PackBits: 20 × 24 pixels of which some rows are flat, with operations that say nothing."""
    rows = [[90] * 20 if y % 3 else row for y, row in enumerate(slope(24, 20, 1, 255))]
    strips = []
    for at in range(0, 24, 6):
        strip = bytearray()
        for row in rows[at : at + 6]:
            strip += bytes([256 - 19, row[0]]) if len(set(row)) == 1 else bytes([11, *row[:12], 128, 7, *row[12:]])
        strips.append(bytes(strip))
    pixels = b"".join(strips)
    lists = 8 + len(pixels)
    starts = [8 + sum(map(len, strips[:number])) for number in range(4)]
    data = b"II*\0" + struct.pack("<I", lists + 32) + pixels
    data += struct.pack("<8I", *starts, *map(len, strips))
    entries = [(256, 3, 1, 20), (257, 3, 1, 24), (258, 3, 1, 8), (259, 3, 1, 32773), (262, 3, 1, 1)]
    entries += [(273, 4, 4, lists), (277, 3, 1, 1), (278, 3, 1, 6), (279, 4, 4, lists + 16)]
    return data + struct.pack("<H", 9) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)


def element(tag: int, form: bytes, value: bytes, order: str = "<") -> bytes:
    """An element of a DICOM file, its form told."""
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF) + form
    wide = form in {b"OB", b"OW", b"SQ", b"UN"}
    return head + (struct.pack(order + "HI", 0, len(value)) if wide else struct.pack(order + "H", len(value))) + value


def dicom(rows: int = 11, columns: int = 9, frames: int = 2, *, bits: int = 16) -> bytes:
    """Some frames, a sequence before them that has pixels of its own, and something behind."""

    def short(value: int) -> bytes:
        return struct.pack("<H", value)

    meta = element(0x20010, b"UI", b"1.2.840.10008.1.2.1\0")
    inner = element(0x7FE00010, b"OW", bytes(range(40)))
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    pixels = b"".join(
        row_bytes(slope(rows, columns, 1, 4000 if bits == 16 else 200, seed=n), bits // 8) for n in range(frames)
    )
    return (
        bytes(128) + b"DICM" + meta
        + element(0x100010, b"PN", b"Nobody^At All ")
        + element(0x880200, b"SQ", item)
        + element(0x280002, b"US", short(1)) + element(0x280008, b"IS", b"%d " % frames)
        + element(0x280010, b"US", short(rows)) + element(0x280011, b"US", short(columns))
        + element(0x280100, b"US", short(bits)) + element(0x280103, b"US", short(1))
        + element(0x7FE00010, b"OW", pixels)
        + element(0xFFFCFFFC, b"OB", b"padding ")
    )  # fmt: skip


def y4m() -> bytes:
    """Two frames of 16 × 8 pixels with halved chroma."""

    def frame(seed: int) -> bytes:
        planes = (
            slope(8, 16, 1, 255, seed=seed),
            slope(4, 8, 1, 255, seed=seed + 1),
            slope(4, 8, 1, 255, seed=seed + 2),
        )
        return b"FRAME\n" + b"".join(map(row_bytes, planes))

    return b"YUV4MPEG2 W16 H8 F25:1 Ip C420jpeg\n" + frame(1) + frame(5)


# --- PNG --------------------------------------------------------------------------------------------------


def png_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int,
    height: int,
    depth: int,
    colour: int,
    rows: bytes,
    *,
    interlaced: bool = False,
    before: bytes = b"",
    tail: bytes = b"",
    cut: int = 1 << 20,
    level: int = 6,
) -> bytes:
    """A PNG of filtered rows, its image data cut into pieces of `cut`."""
    image = zlib.compress(rows, level)
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    pieces = b"".join(png_chunk(b"IDAT", image[at : at + cut]) for at in range(0, len(image), cut))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + before
        + pieces
        + png_chunk(b"tEXt", b"Title\0It settles")
        + png_chunk(b"IEND", b"")
        + tail
    )


def filtered(pixels: bytes, row: int, pixel: int) -> bytes:
    """Rows of so many bytes, each by another of the five filters."""
    out = bytearray()
    for y in range(len(pixels) // row):
        method = y % 5
        out.append(method)
        for x in range(row):
            at = y * row + x
            left = pixels[at - pixel] if x >= pixel else 0
            up = pixels[at - row] if y else 0
            corner = pixels[at - row - pixel] if y and x >= pixel else 0
            base = left + up - corner
            nearest = min((abs(base - left), 0, left), (abs(base - up), 1, up), (abs(base - corner), 2, corner))[2]
            out.append((pixels[at] - (0, left, up, (left + up) // 2, nearest)[method]) & 255)
    return bytes(out)


def palette(count: int, *, opaque: bool = True) -> bytes:
    """PLTE, and tRNS if some colours are not opaque."""
    colours = bytes(c for i in range(count) for c in (i * 37 % 256, i * 91 % 256, 255 - i))
    made = png_chunk(b"PLTE", colours)
    return made if opaque else made + png_chunk(b"tRNS", bytes([0, 128]))
