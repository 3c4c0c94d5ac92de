"""Pictures that come back in another form: what is kept, what is measured, and what is refused in a sentence."""

import io
import json
import math
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.fidelity import CONTENT, Contract
from lithify.codecs.frame import FrameWriter, decode_frame
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.media.stills.codec import StillImage, StillParams
from lithify.codecs.media.stills.exif import disguised, orientation, turned, with_orientation
from lithify.codecs.media.stills.measuring import distance
from lithify.codecs.media.stills.proving import measured
from lithify.codecs.media.stills.reaching import smallest
from lithify.codecs.media.stills.reading import read_still
from lithify.codecs.similarity import similarities, similarity
from lithify.errors import BadArgument, BadBytes, Corrupt, FidelityBroken
from tests.unit.codecs.media import corpus
from tests.unit.codecs.media.stills import (
    PROFILE,
    XMP,
    exif,
    netpbm,
    photo,
    png_with_text,
    saved,
    see_through,
    with_xmp,
)

SSIM = Contract.parse("floor:ssim=0.95")
PSNR = Contract.parse("floor:psnr=34")


def packed(data: bytes, contract: Contract, effort: Effort = "fast") -> tuple[bytes, bytes]:
    """The frame of a picture, and what it decodes to."""
    codec = StillImage(StillImage.params_keeping(StillParams(effort), contract))
    writer = FrameWriter(file := io.BytesIO())
    codec.encode(MemorySource(data), writer.sink(codec))
    writer.finish(contract=contract, original_length=len(data), original_digest=bytes(32))
    return file.getvalue(), b"".join(decode_frame(file))


# --- reading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("PNG", {"icc_profile": PROFILE, "exif": exif(6), "pnginfo": with_xmp()}),
        ("WEBP", {"lossless": True, "icc_profile": PROFILE, "exif": exif(6), "xmp": XMP}),
        ("TIFF", {"compression": "tiff_lzw", "icc_profile": PROFILE}),
        ("BMP", {}),
    ],
)
def test_pixels_and_notes_are_read_as_they_were_written(form: str, said: dict[str, Any]) -> None:
    still = read_still(saved(photo(), form, **said))

    assert np.array_equal(photo(), still.picture)
    xmp = XMP if "pnginfo" in said else said.get("xmp", b"")
    assert (said.get("icc_profile", b""), xmp) == (still.notes.profile, still.notes.xmp)
    assert (6 if "exif" in said else 1) == still.orientation
    assert 8 == still.bits


def test_a_photograph_is_read_with_all_that_it_says() -> None:
    still = read_still(saved(photo(), "JPEG", icc_profile=PROFILE, exif=exif(3), xmp=XMP, comment=b"not carried"))

    assert (PROFILE, exif(3).removeprefix(b"Exif\0\0"), XMP) == (
        still.notes.profile,
        still.notes.exif,
        still.notes.xmp,
    )
    assert (("COM",), 3, (40, 56, 3)) == (still.others, still.orientation, still.picture.shape)


def test_sixteen_bits_are_read_as_sixteen() -> None:
    deep = photo().astype(np.uint16) * 257
    for file in (imagecodecs.png_encode(deep), netpbm(deep), netpbm(deep[:, :, 0]), imagecodecs.tiff_encode(deep)):
        still = read_still(bytes(file))
        assert (np.dtype(np.uint16), 16) == (still.picture.dtype, still.bits)
        assert np.array_equal(deep[:, :, : still.picture.shape[2]], still.picture)


def test_fewer_bits_are_spread_over_eight_and_said() -> None:
    still = read_still(saved(photo()[:, :, 0] > 128, "PNG"))

    assert ({0, 255}, 1) == (set(np.unique(still.picture).tolist()), still.bits)


def test_what_a_tiff_says_about_its_picture_is_told_as_exif() -> None:
    still = read_still(saved(photo(), "TIFF", software="strata 1.0", dpi=(300, 300)))
    found = Image.Exif()
    found.load(still.notes.exif)

    assert ("strata 1.0", 300) == (found[0x0131], found[0x011A])
    assert not still.others


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"GIF89a" + bytes(20), "no picture of a form that is known"),
        (saved(photo(), "PNG", save_all=True, append_images=[Image.new("RGB", (56, 40))]), "2 pictures"),
        (saved(photo(), "WEBP", save_all=True, append_images=[Image.new("RGB", (56, 40))]), "2 pictures"),
        (saved(photo(), "TIFF", save_all=True, append_images=[Image.new("RGB", (56, 40))]), "2 pictures"),
        (saved(photo(), "JPEG")[:-30], "does not end where its picture does"),
        (saved(photo(), "JPEG") + b"more", "does not end where its picture does"),
        (netpbm(photo()).replace(b"\n255\n", b"\n254\n"), "reach up to 254"),
    ],
)  # fmt: skip
def test_what_could_not_be_kept_whole_is_refused(file: bytes, said: str) -> None:
    with pytest.raises((BadArgument, Corrupt), match=said):
        smallest(file, SSIM, "fast")


def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_decoded() -> None:
    png = bytearray(saved(photo(), "PNG"))
    png[16:24] = (60_000).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    with pytest.raises(Corrupt, match="3600000000 pixels"):  # by Pillow; what it lets through we refuse
        read_still(bytes(png))
    png[16:24] = (9_000).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    with pytest.raises(BadArgument, match="9000 x 9000 pixels"):
        read_still(bytes(png))
    with pytest.raises(BadArgument, match="pixels"):
        read_still(b"P6 20000 20000 255\n" + bytes(100))


def test_inks_are_refused() -> None:
    out = io.BytesIO()
    Image.fromarray(photo()).convert("CMYK").save(out, "JPEG")
    with pytest.raises(BadArgument, match="of inks"):
        read_still(out.getvalue())


@given(st.data())
def test_damaged_files_are_refused_or_read(data: st.DataObject) -> None:
    files = [
        saved(photo(9, 12), "PNG", icc_profile=PROFILE),
        saved(photo(9, 12), "JPEG", exif=exif(5)),
        saved(photo(9, 12), "WEBP", lossless=True, xmp=XMP, exif=exif()),
        saved(photo(9, 12), "TIFF", compression="tiff_adobe_deflate"),
        saved(photo(9, 12), "BMP"),
        netpbm(photo(9, 12)),
    ]
    file = bytearray(data.draw(st.sampled_from(files)))
    for _ in range(data.draw(st.integers(1, 3))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        still = read_still(bytes(file[: data.draw(st.integers(4, len(file)))]))
    except (BadArgument, BadBytes):
        return
    assert still.picture.ndim == 3


# --- turning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", range(1, 9))
def test_pictures_are_turned_as_other_programs_turn_them(how: int) -> None:
    image = Image.open(io.BytesIO(saved(photo(4, 7), "PNG", exif=exif(how))))

    assert np.array_equal(np.asarray(ImageOps.exif_transpose(image)), turned(photo(4, 7), how))


def test_an_orientation_is_changed_where_it_stands() -> None:
    said = exif(6).removeprefix(b"Exif\0\0")

    assert (6, 1, 1, 1) == tuple(map(orientation, (said, with_orientation(said, 1), disguised(said), exif())))
    changed = [at for at, (a, b) in enumerate(zip(said, with_orientation(said, 1), strict=True)) if a != b]
    assert 1 == len(changed)
    assert said == with_orientation(said, 6)
    assert b"II*\0" == with_orientation(b"II*\0", 3)


# --- measuring --------------------------------------------------------------------------------------------


def straightforward(one: Any, two: Any, span: float) -> float:
    """SSIM window by window, as the paper has it."""
    found = []
    for y in range(one.shape[0] - 6):
        for x in range(one.shape[1] - 6):
            a, b = (array[y : y + 7, x : x + 7].astype(float) for array in (one, two))
            c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
            both = ((a - a.mean()) * (b - b.mean())).mean()
            top = (2 * a.mean() * b.mean() + c1) * (2 * both + c2)
            found.append(top / ((a.mean() ** 2 + b.mean() ** 2 + c1) * (a.var() + b.var() + c2)))
    return float(np.mean(found))


def test_similarity_is_what_the_paper_says() -> None:
    one, two = photo(19, 23, 1)[:, :, 0].astype(float), photo(19, 23, 2)[:, :, 1].astype(float)

    assert straightforward(one, two, 255) == pytest.approx(similarity(one, two, 0, 255), abs=1e-12)
    assert similarity(one, two, 0, 255) == pytest.approx(similarity(one - 100, two - 100, 100, 255), abs=1e-12)


@pytest.mark.parametrize("height", [7, 255, 256, 257, 262, 263, 600])
def test_strips_of_a_picture_are_measured_as_the_whole(height: int) -> None:
    one = photo(height, 9)
    two = one ^ (np.arange(one.size) & 7).astype(np.uint8).reshape(one.shape)
    found = distance(one, two)
    weights = np.array([0.299, 0.587, 0.114])

    assert similarity(one @ weights, two @ weights, 0, 255) == pytest.approx(found.ssim, abs=1e-9)
    each = similarities(one @ weights, two @ weights, 0, 255)
    assert np.quantile(each, 0.01) == pytest.approx(found.low_ssim, abs=0.02)
    wrong = np.square(one.astype(float) - two)
    assert 10 * math.log10(255**2 / wrong.mean()) == pytest.approx(found.psnr)
    assert 7 == found.largest


def test_what_cannot_be_seen_may_differ() -> None:
    one = see_through()
    two = one.copy()
    two[two[:, :, 3] == 0] = (9, 99, 199, 0)
    found = distance(one, two)

    assert (math.inf, 1.0) == (found.psnr, found.ssim)
    two[20, 28, 3] = 0
    assert distance(one, two).by("psnr") < 60


def test_equal_pictures_are_as_close_as_can_be() -> None:
    found = distance(photo(), photo())

    assert (math.inf, 0) == (found.by("psnr"), found.largest)
    assert found.by("ssim") == pytest.approx(1.0)


def test_ssim_says_nothing_of_tiny_pictures_and_vmaf_nothing_at_all() -> None:
    with pytest.raises(BadArgument, match="fewer than 7"):
        distance(photo(6, 40), photo(6, 40)).by("ssim")
    with pytest.raises(BadArgument, match="vmaf is not measured"):
        distance(photo(), photo()).by("vmaf")


# --- floors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", [SSIM, PSNR])
@pytest.mark.parametrize(
    "file",
    [
        saved(photo(), "PNG"),
        saved(photo(), "JPEG", quality=98),
        saved(photo()[:, :, 0], "PNG"),
        saved(see_through(), "PNG"),
        saved(photo(), "TIFF"),
        saved(photo(), "WEBP", quality=99),
        saved(photo(), "BMP"),
        netpbm(photo()),
        bytes(imagecodecs.png_encode(photo().astype(np.uint16) * 257)),
    ],
)
def test_a_floor_is_kept_and_measured_again(file: bytes, contract: Contract) -> None:
    frame, decoded = packed(file, contract)
    told = measured(file, decoded, contract)

    name = {"ssim": "ssim", "psnr": "psnr_db"}[str(contract.metric)]
    assert told.get(name, math.inf) >= (contract.value or 0)
    assert told["media_type"] in {"image/avif", "image/jxl", "image/webp"}
    assert len(decoded) < len(file)
    assert len(frame) < len(decoded) + 200


@pytest.mark.parametrize("effort", EFFORTS)
def test_a_higher_floor_takes_more_bytes(effort: Effort) -> None:
    file = saved(photo(), "PNG")
    low, high = (len(smallest(file, Contract("floor", "ssim", value), effort)) for value in (0.8, 0.99))

    assert low < high


def test_a_portrait_comes_back_upright_with_its_profile_and_notes() -> None:
    file = saved(photo(), "JPEG", quality=97, exif=exif(6), icc_profile=PROFILE, xmp=XMP)
    _, decoded = packed(file, SSIM)
    image = Image.open(io.BytesIO(decoded))

    assert ("AVIF", (40, 56)) == (image.format, image.size)
    assert (PROFILE, XMP) == (image.info["icc_profile"], image.info["xmp"])
    assert exif(1).removeprefix(b"Exif\0\0") == image.info["exif"].removeprefix(b"Exif\0\0")
    assert measured(file, decoded, SSIM)["turned_upright"]


def test_sixteen_bits_stay_sixteen_and_with_a_profile_there_is_no_form_for_them() -> None:
    deep = photo().astype(np.uint16) * 257
    _, decoded = packed(bytes(imagecodecs.tiff_encode(deep)), PSNR)
    assert (np.dtype(np.uint16), "image/jxl") == (read_still(decoded).picture.dtype, read_still(decoded).media_type)

    with_profile = bytes(imagecodecs.tiff_encode(deep, iccprofile=PROFILE))
    assert PROFILE == read_still(with_profile).notes.profile
    with pytest.raises(FidelityBroken, match="16 bits or profile and all"):
        smallest(with_profile, PSNR, "fast")


def test_what_no_form_carries_is_told() -> None:
    file = png_with_text()
    _, decoded = packed(file, SSIM)

    assert "tEXt" == measured(file, decoded, SSIM)["not_carried"]


def test_a_floor_that_is_not_kept_is_noticed_by_whoever_measures() -> None:
    file = saved(photo(), "PNG", icc_profile=PROFILE)
    worse = saved(photo(), "AVIF", quality=1, icc_profile=PROFILE)
    with pytest.raises(FidelityBroken, match="ssim is 0"):
        measured(file, worse, Contract("floor", "ssim", 0.999))
    with pytest.raises(FidelityBroken, match="the profile"):
        measured(file, saved(photo(), "AVIF", quality=95), SSIM)
    with pytest.raises(FidelityBroken, match="samples came back"):
        measured(file, saved(photo(41), "AVIF", quality=95, icc_profile=PROFILE), SSIM)
    with pytest.raises(FidelityBroken, match="cannot be compared"):
        measured(file, b"no picture", SSIM)
    with pytest.raises(FidelityBroken, match="not measured"):
        measured(file, saved(photo(), "AVIF", icc_profile=PROFILE), Contract.parse("bounded:abs=1"))


def test_a_floor_that_pictures_have_no_measure_for_is_refused() -> None:
    with pytest.raises(BadArgument, match="vmaf"):
        smallest(saved(photo(), "PNG"), Contract.parse("floor:vmaf=95"), "fast")


# --- content ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "form"),
    [
        (saved(photo(), "TIFF", compression="tiff_lzw"), "image/jxl"),
        (saved(photo(), "TIFF", compression="tiff_lzw", icc_profile=PROFILE, software="strata"), "image/webp"),
        (saved(photo()[:, :, 0], "PNG"), "image/jxl"),
        (saved(see_through(), "PNG", icc_profile=PROFILE, exif=exif(8)), "image/webp"),
        (bytes(imagecodecs.png_encode(photo().astype(np.uint16) * 257)), "image/jxl"),
    ],
)
def test_content_comes_back_in_another_form(file: bytes, form: str) -> None:
    _, decoded = packed(file, CONTENT)
    before, after = read_still(file), read_still(decoded)

    assert (form, before.notes) == (after.media_type, after.notes)
    assert np.array_equal(before.picture, after.picture)
    assert form == measured(file, decoded, CONTENT)["media_type"]


def test_other_programs_see_what_was_written() -> None:
    file = saved(see_through(), "PNG", icc_profile=PROFILE, exif=exif(8))
    image = Image.open(io.BytesIO(packed(file, CONTENT)[1]))

    assert np.array_equal(see_through(), np.asarray(image))
    assert (PROFILE, exif(8).removeprefix(b"Exif\0\0")) == (
        image.info["icc_profile"],
        image.info["exif"].removeprefix(b"Exif\0\0"),
    )


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (png_with_text(), "tEXt"),
        (saved(photo()[:, :, 0] > 128, "PNG"), "samples of 1 bits"),
        (saved(photo(), "BMP", dpi=(300, 300)), "density"),
    ],
)
def test_content_that_would_lose_something_is_refused_by_its_name(file: bytes, said: str) -> None:
    with pytest.raises(BadArgument, match=said):
        smallest(file, CONTENT, "fast")


def test_another_pixel_is_not_the_same_content() -> None:
    other = photo()
    other[0, 0, 0] ^= 1
    with pytest.raises(FidelityBroken):
        measured(saved(photo(), "PNG"), saved(other, "WEBP", lossless=True), CONTENT)


# --- the codec --------------------------------------------------------------------------------------------


def test_params_name_a_contract() -> None:
    params = StillImage.params_keeping(StillParams("max"), SSIM)

    assert {"effort": "max", "contract": "floor:ssim=0.95"} == json.loads(params.to_json())
    with pytest.raises(Corrupt, match="not understood"):
        StillParams(contract="floor:ssim")


def test_it_is_asked_about_pictures_only() -> None:
    for data in (saved(photo(), "PNG"), saved(photo(), "WEBP"), corpus.PHOTO, netpbm(photo())):
        assert StillImage.probe(data, len(data), "default") is not None
    assert StillImage.probe(b"no picture", 10, "default") is None


def test_original_and_what_comes_back_are_drawn_side_by_side() -> None:
    file = saved(see_through(), "PNG")
    for decoded in (file, packed(file, SSIM)[1]):
        sheet = Image.open(io.BytesIO(StillImage.plot(file, decoded)))
        assert ("PNG", True) == (sheet.format, sheet.width > 3 * 224)
    deep = bytes(imagecodecs.png_encode(photo().astype(np.uint16) * 257))
    large = saved(photo(1100, 40), "PNG")
    assert Image.open(io.BytesIO(StillImage.plot(deep, deep))).width
    assert Image.open(io.BytesIO(StillImage.plot(large, large))).height < 700
    with pytest.raises(BadArgument, match="laid over"):
        StillImage.plot(file, deep)
