"""The table of formats: literal, light to import, and closed to a second claim on a number."""

import subprocess
import sys
from pathlib import Path

import pytest

from lithify.codecs import registry
from lithify.codecs.codec import Codec, Format
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.codecs.registry import (
    FORMATS,
    OUTSIDERS,
    add_outsiders,
    all_codecs,
    by_id,
    codec_class,
    codec_for,
    known_formats,
)
from lithify.errors import BadArgument, Conflict, MissingExtra, UnknownFormat

CODECS = Path(registry.__file__).parent
HEAVY = ("zstandard", "brotli", "_brotli", "pyppmd", "lzma", "xxhash", "numpy", "importlib.metadata")


def test_importing_the_registry_loads_no_codec() -> None:
    code = f"import sys, lithify.codecs.registry; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == found.stdout.strip()


@pytest.mark.parametrize("format_id", FORMATS, ids=hex)
def test_every_entry_leads_to_a_codec_that_says_the_same_number(format_id: int) -> None:
    found = codec_class(format_id)

    assert issubclass(found, Codec)
    assert format_id == found.facts.format.id
    assert format_id not in OUTSIDERS
    assert found is by_id(found.facts.id)


@pytest.mark.parametrize("format_id", FORMATS, ids=hex)
def test_every_format_is_described_in_its_family_s_document_and_in_the_readme(format_id: int) -> None:
    family = codec_class(format_id).facts.family

    assert f"0x{format_id:04x}" in (CODECS / family / "FORMAT.md").read_text("utf-8")
    assert f"`{codec_class(format_id).facts.id}`" in (CODECS / "README.md").read_text("utf-8")


def test_ids_are_unique() -> None:
    found = [codec.facts.id for codec in all_codecs()]

    assert len(found) == len(set(found)) == len(known_formats())


def test_a_number_nobody_has_is_named() -> None:
    with pytest.raises(UnknownFormat, match="0x7fff"):
        codec_class(0x7FFF)


@pytest.mark.parametrize("version", [(1, 1), (2, 0), (255, 255), (0, 9)])
def test_a_version_this_release_does_not_read_is_refused_with_both_versions(version: tuple[int, int]) -> None:
    with pytest.raises(UnknownFormat, match=r"0x0101 \d+\.\d+ \(raw\.zstd\).*knows 1\.0 to 1\.0"):
        codec_for(Format(0x0101, *version), b"")


def test_a_codec_comes_with_the_params_it_is_given() -> None:
    assert repr(Zstd(ZstdParams(level=5))) == repr(codec_for(Format(0x0101, 1, 0), b'{"level":5}'))


def test_a_name_nobody_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadArgument, match=r"raw\.zsdt.*raw\.stored, raw\.zstd"):
        by_id("raw.zsdt")


def test_an_outsider_is_added_in_its_range() -> None:
    assert {**FORMATS, 0x8001: "acme.codec:Acme"} == add_outsiders(FORMATS, [("0x8001", "acme.codec:Acme")])


@pytest.mark.parametrize(
    "claims",
    [
        [("0x0101", "acme.codec:Zstd")],
        [("0x8001", "acme.codec:One"), ("0x8001", "acme.codec:Two")],
        [("0x0777", "acme.codec:Acme")],
        [("0xffff", "acme.codec:Acme")],
        [("acme", "acme.codec:Acme")],
        [("-1", "acme.codec:Acme")],
    ],
    ids=["ours", "each other's", "our range", "reserved", "no number", "negative"],
)
def test_a_claim_that_cannot_be_granted_stops_the_program(claims: list[tuple[str, str]]) -> None:
    with pytest.raises(Conflict, match=r"acme\.codec"):
        add_outsiders(FORMATS, claims)


def test_a_codec_whose_package_is_missing_says_so_and_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "known_formats", lambda: {**FORMATS, 0x8001: "lithify_absent.codec:Gone"})
    codec_class.cache_clear()

    with pytest.raises(MissingExtra, match="lithify_absent"):
        codec_class(0x8001)
    assert [codec_class(number) for number in FORMATS] == all_codecs()
