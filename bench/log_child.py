"""What a fresh process does for bench/log_start.py: meet the codec for the first time, or handle one block.

start EFFORT... FILE            encode and decode FILE at each effort; with several, every kernel comes first
encode EFFORT FILE PAYLOAD      the block in FILE to PAYLOAD; prints the peak of memory before and after
decode EFFORT FILE PAYLOAD      back again; likewise
"""

import sys
from pathlib import Path
from typing import cast

from lithify.codecs.codec import Effort
from lithify.codecs.logs.codec import Logs

_FIRST_BYTES = 100_000


def _codec(effort: str, length: int) -> Logs:
    return Logs(Logs.params_for(cast("Effort", effort), length))


def _round_trip(effort: str, data: bytes) -> None:
    codec = _codec(effort, len(data))
    assert codec.decode(codec.encode_block(data), shared=b"", length=len(data)) == data


def peak_memory_bytes() -> int:
    """The most physical memory this process has held; getrusage would count what its parent held at the fork."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def _start(efforts: list[str], file: Path) -> None:
    if len(efforts) > 1:
        Logs.warm()
    for effort in efforts:
        _round_trip(effort, file.read_bytes())


def _one_block(task: str, effort: str, file: Path, payload: Path) -> None:
    with file.open("rb") as block:
        _round_trip(effort, block.read(_FIRST_BYTES))
    before = peak_memory_bytes()
    length = file.stat().st_size
    codec = _codec(effort, length)
    if task == "encode":
        payload.write_bytes(codec.encode_block(file.read_bytes()))
    else:
        codec.decode(payload.read_bytes(), shared=b"", length=length)
    print(before, peak_memory_bytes())


if __name__ == "__main__":
    if sys.argv[1] == "start":
        _start(sys.argv[2:-1], Path(sys.argv[-1]))
    else:
        _one_block(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
