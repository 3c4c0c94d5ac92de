"""A large upload over HTTP: throughput beside hashing and zstd alone, memory of the server, and a range read."""

import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from statistics import median
from typing import BinaryIO, cast

import httpx
import zstandard

from bench.figures import spread, table
from bench.program import Server, serving, workplace
from bench.samples import log_lines, noise
from lithify import limits
from lithify.codecs.frame import decode_frame, read_frame
from lithify.workers.archive import Archive
from lithify.workers.ingest import STAGING_LEVEL

BYTES = 1_000_000_000
ROUNDS = 3
RANGE_BYTES = 1_000_000
_UNIQUE_BYTES = 50_000_000
"""Chunks of the staged copy are compressed alone, so repeating this much changes nothing but the time to make it."""
KINDS: dict[str, Callable[[int, int], bytes]] = {"log lines": log_lines, "noise": noise}


@dataclass
class Rounds:
    """What was measured with one kind of bytes; rates in bytes a second."""

    alone: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    upload: list[float] = field(default_factory=list)
    memory_bytes: list[float] = field(default_factory=list)

    def part_of(self, other: list[float]) -> float:
        """The median over the rounds of upload against another way, both of the same round."""
        return median(upload / beside for upload, beside in zip(self.upload, other, strict=True))


def hash_and_compress(file: Path, out: BinaryIO | None) -> float:
    """Bytes a second of SHA-256 and zstd, block by block in one thread; written and flushed when there is an `out`."""
    started = time.perf_counter()
    digest, compressor = hashlib.sha256(), zstandard.ZstdCompressor(level=STAGING_LEVEL)
    with file.open("rb", buffering=0) as source:
        while block := source.read(limits.STAGE_CHUNK_BYTES):
            digest.update(block)
            compressed = compressor.compress(block)
            if out is not None:
                out.write(min(block, compressed, key=len))
    if out is not None:
        out.flush()
        subprocess.run(["sync", "-d", out.name], check=True)
    return BYTES / (time.perf_counter() - started)


def upload(file: Path, server: Server) -> float:
    """Bytes a second from the start of curl to the receipt; httpx where there is no curl."""
    url, credentials = f"{server.url}/v1/objects/bench/large", f"Authorization: Bearer {server.key}"
    started = time.perf_counter()
    if curl := shutil.which("curl"):
        command = [curl, "--silent", "--show-error", "--fail", "--output", "/dev/null", "--upload-file", str(file)]
        subprocess.run([*command, "--header", credentials, "--header", "Expect:", url], check=True)
    else:
        with file.open("rb") as body:
            blocks = iter(lambda: body.read(limits.COPY_BYTES), b"")
            headers = {"Authorization": f"Bearer {server.key}", "Content-Length": str(BYTES)}
            httpx.put(url, content=blocks, headers=headers, timeout=600).raise_for_status()
    return BYTES / (time.perf_counter() - started)


def one_round(file: Path, work: Path, rounds: Rounds) -> None:
    """All ways, one after another, on the same bytes."""
    rounds.alone.append(hash_and_compress(file, None))
    with (work / "staged").open("wb", buffering=0) as out:
        rounds.written.append(hash_and_compress(file, cast("BinaryIO", out)))
    (work / "staged").unlink()
    shutil.rmtree(work / "archive", ignore_errors=True)
    with serving(work / "archive") as server:
        rounds.upload.append(upload(file, server))
        rounds.memory_bytes.append(server.peak_memory_bytes())


class Counting(FileIO):
    """A file that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size) or b""
        self.count += len(data)
        return data


def range_read(archive: Path) -> tuple[int, int, int, int]:
    """For 1 MB in the middle: chunks overlapped, their stored bytes, bytes read for them, and bytes of the table."""
    with Archive(archive, create=False) as opened:
        address = opened.stat("bench", "large").encodings[-1].blob
    start = BYTES // 2
    with Counting(archive / "blobs" / address[:2] / address) as blob:
        frame = read_frame(cast("BinaryIO", blob))
        about = blob.count
        touched = [frame.chunks[index] for index in frame.overlapping(start, start + RANGE_BYTES)]
        blob.count = 0
        pieces = decode_frame(cast("BinaryIO", blob), start=start, end=start + RANGE_BYTES, frame=frame)
        assert sum(map(len, pieces)) == RANGE_BYTES
        return len(touched), sum(chunk.stored_length for chunk in touched), blob.count, about


def main(arguments: list[str]) -> None:
    """Kinds and ways take turns, so that whatever else the machine does hits all of them."""
    del arguments
    found = {kind: Rounds() for kind in KINDS}
    ranges = {}
    with workplace() as work:
        files = {kind: work / kind for kind in KINDS}
        for kind, make in KINDS.items():
            with files[kind].open("wb") as file:
                unique = make(_UNIQUE_BYTES, 1)
                for _ in range(BYTES // _UNIQUE_BYTES):
                    file.write(unique)
        for _ in range(ROUNDS):
            for kind, rounds in found.items():
                one_round(files[kind], work, rounds)
                ranges[kind] = range_read(work / "archive")
    show(found, ranges)


def show(found: dict[str, Rounds], ranges: dict[str, tuple[int, int, int, int]]) -> None:
    """One table, a column for each kind of bytes."""

    def rates(values: list[float]) -> str:
        return spread([value / 1e6 for value in values])

    rows: dict[str, Callable[[Rounds], str]] = {
        f"SHA-256 + zstd -{STAGING_LEVEL} alone, MB/s": lambda rounds: rates(rounds.alone),
        "the same, written and flushed, MB/s": lambda rounds: rates(rounds.written),
        "upload to the receipt, MB/s": lambda rounds: rates(rounds.upload),
        "upload / alone (bar 0.90)": lambda rounds: f"{rounds.part_of(rounds.alone):.2f}",
        "upload / written and flushed": lambda rounds: f"{rounds.part_of(rounds.written):.2f}",
        "peak memory of the server, MB (bar 150)": lambda rounds: rates(rounds.memory_bytes),
    }
    lines = [(title, *map(line, found.values())) for title, line in rows.items()]
    titles = ("chunks overlapped", "their stored bytes", "bytes read for them", "and once, for the frame's table")
    lines += [
        (f"1 MB from the middle: {title}", *(f"{values[number]:,}" for values in ranges.values()))
        for number, title in enumerate(titles)
    ]
    table((f"{BYTES // 10**6:,} MB, {ROUNDS} rounds", *found), lines)
