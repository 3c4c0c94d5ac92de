"""What people use for text today, each packing a document as a whole, in one thread."""

import bz2
import gzip
import lzma
import shutil
import subprocess
import tempfile
from pathlib import Path

import brotli
import zstandard

from bench.codecs import Pack
from bench.text_files import training_samples
from lithify.codecs.raw.ppmd import Ppmd, PpmdParams
from lithify.limits import KIB, MIB

Ways = dict[str, tuple[Pack, Pack]]
DICTIONARY_BYTES = 110 * KIB
_SAMPLES_BYTES, _SAMPLE_BYTES = 10 * MIB, 8 * KIB
_PPMD_LENGTH_BYTES = 4
ZPAQ = "zpaq5"


def rivals() -> Ways:
    """By name; zstd a second time with a dictionary of what we learnt from too, zpaq only where it is installed."""
    found: Ways = {
        "gzip9": (lambda data: gzip.compress(data, 9, mtime=0), gzip.decompress),
        "bzip2": (bz2.compress, bz2.decompress),
        "xz 9e": (lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME), lzma.decompress),
        "zstd22": _zstd(None),
        "brotli": (lambda data: brotli.compress(data, quality=11, lgwin=24), brotli.decompress),
        "ppmd16": (_ppmd, _unppmd),
    }
    samples = training_samples(_SAMPLES_BYTES, _SAMPLE_BYTES)
    if samples:
        dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, list(samples))
        found["+dict"] = _zstd(dictionary)
    if shutil.which("zpaq"):
        found[ZPAQ] = (_zpaq, _unzpaq)
    return found


def _zstd(dictionary: zstandard.ZstdCompressionDict | None) -> tuple[Pack, Pack]:
    settings = zstandard.ZstdCompressionParameters.from_level(22, window_log=27, write_dict_id=False)
    packer = zstandard.ZstdCompressor(compression_params=settings, dict_data=dictionary)
    return packer.compress, zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=1 << 27).decompress


def _ppmd(data: bytes) -> bytes:
    return len(data).to_bytes(_PPMD_LENGTH_BYTES, "little") + Ppmd(PpmdParams(order=16)).encode_block(data)


def _unppmd(packed: bytes) -> bytes:
    length = int.from_bytes(packed[:_PPMD_LENGTH_BYTES], "little")
    return Ppmd().decode(packed[_PPMD_LENGTH_BYTES:], shared=b"", length=length)


def _zpaq(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "t").write_bytes(data)
        _run(folder, "add", "a.zpaq", "t", "-m5", "-t1")
        return Path(folder, "a.zpaq").read_bytes()


def _unzpaq(packed: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.zpaq").write_bytes(packed)
        _run(folder, "extract", "a.zpaq", "-t1")
        return Path(folder, "t").read_bytes()


def _run(folder: str, *words: str) -> None:
    subprocess.run(["zpaq", *words], cwd=folder, check=True, capture_output=True)
