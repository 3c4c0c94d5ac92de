"""Archives as people have them, through the command line: the codec made for them is found without being named."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from lithify import limits
from lithify.store.views import InsideView
from tests.unit.api.running import run
from tests.unit.codecs.arrays.files import Nc3Variable, netcdf3, smooth
from tests.unit.codecs.media.archives import LOGS, MARKUP, gz, tarred


def rotated(said: int | None = None) -> bytes:
    """A log in gzip, longer than a probe sees; perhaps it says that it has another length."""
    chance = random.Random(5)
    lines = [
        b"2026-11-21 01:%02d:%02d got %s\n" % (n // 60 % 60, n % 60, chance.randbytes(32).hex().encode())
        for n in range(24_000)
    ]
    packed = gz(b"".join(lines), name="app.log.3", level=1)
    assert len(packed) > limits.PROBE_BYTES
    return packed if said is None else packed[:-4] + said.to_bytes(4, "little")


NETCDF = netcdf3([Nc3Variable("t2m", ("time", "y", "x"), smooth((6, 40, 50), ">f4"))])
FILES: dict[str, tuple[Callable[[], bytes], str, str, set[str]]] = {
    "app.log.3.gz": (rotated, "media.deflate", "logs.template", {"app.log.3"}),
    "long.log.3.gz": (lambda: rotated(limits.OPENED_BYTES_MAX + 1), "media.gzip", "logs.template", set()),
    "src.tar.gz": (
        lambda: gz(tarred({"a.log": LOGS, "b/c.xml": MARKUP}), name="src.tar"),
        "media.deflate",
        "logs.template",
        {"src.tar/a.log", "src.tar/b/c.xml"},
    ),
    "t.nc.gz": (lambda: gzip.compress(NETCDF, 6, mtime=0), "media.deflate", "arrays.values", set()),
}


@pytest.mark.parametrize("name", FILES)
def test_archives_find_their_codec_by_themselves_and_come_back(tmp_path: Path, name: str) -> None:
    make, codec, within, members = FILES[name]
    original = make()
    (tmp_path / name).write_bytes(original)
    packed = run("pack", str(tmp_path / name), "--effort", "fast", "--contents", "--json")
    assert 0 == packed.exit_code, packed.output
    found = json.loads(packed.stdout)

    assert codec == found["codec"], found["route"]
    assert found["packed_bytes"] < len(original)
    assert within in {row["codec"] for row in found["contents"]}
    assert members <= {member["name"] for row in found["contents"] for member in row["members"]}
    assert InsideView.__dataclass_fields__.keys() == found["contents"][0].keys()
    (tmp_path / name).unlink()
    assert 0 == run("unpack", str(tmp_path / f"{name}.lith")).exit_code
    assert original == (tmp_path / name).read_bytes()
