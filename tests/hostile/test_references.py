"""Files that send their readers elsewhere, through the doors: nobody goes there.

Why: ffmpeg, XML readers, PDF readers and readers of arrays open what files tell them to open, if they are let; whoever
puts a file here decides what it says. A server, a port and a file watch whether anybody came.

`REFERENCES=1000 pytest tests/hostile/test_references.py` sends all of them, as `make fuzz` does; with `CROSSED=1` each
is packed under every contract.
"""

import os
from collections.abc import Iterator
from itertools import cycle, product
from pathlib import Path
from urllib.parse import quote

import pytest

from lithify.workers.loop import Worker
from tests.hostile.canaries import SECRET, Canaries, canaries
from tests.hostile.references import references
from tests.serving import Served, serving
from tests.unit.api.running import run

CONTRACTS = ("exact", "content", "floor:ssim=0.9")
AT_MOST = int(os.environ.get("REFERENCES", "10"))
"""Of the files, evenly."""
CROSSED = os.environ.get("CROSSED", "0") != "0"
"""Whether each is packed under every contract, rather than under the next of them."""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Canaries]:
    with canaries(tmp_path) as found:
        yield found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "archive") as found:
        yield found


def chosen(there: Canaries) -> dict[str, tuple[str, bytes]]:
    """Some of all kinds, or all."""
    found = list(references(there).items())
    count = min(AT_MOST, len(found))
    return dict(found[number * len(found) // count] for number in range(count))


def test_there_are_five_hundred_of_them(there: Canaries) -> None:
    found = references(there)
    assert len(found) >= 500
    assert len({data for _, data in found.values()}) == len(found)
    assert all(there.file.name.encode() in data or there.port in data for _, data in plain(found))
    assert there.untouched()


def plain(found: dict[str, tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Those in which the place can be read."""
    return [data for what, data in found.items() if what.count(",") == 1 and "office" not in what]


def test_the_canaries_notice_whoever_comes(there: Canaries) -> None:
    assert there.untouched()
    there.file.read_bytes()
    assert not there.untouched()


def test_lithify_pack_follows_no_reference(tmp_path: Path, there: Canaries) -> None:
    """Each file under the next of the contracts, or under all."""
    files = chosen(there).items()
    for (what, (name, data)), contract in product(files, CONTRACTS) if CROSSED else zip(files, cycle(CONTRACTS)):
        (tmp_path / name).write_bytes(data)
        packed = tmp_path / "packed.lith"
        done = run(
            "pack", str(tmp_path / name), "-o", str(packed), "--force", "--contract", contract, "--effort", "fast"
        )
        assert 0 == done.exit_code, f"{what}: {done.output}"
        assert SECRET not in packed.read_bytes() + done.output.encode(), what
        if contract == "exact":
            run("unpack", str(packed), "-o", str(tmp_path / "back"), "--force")
            assert data == (tmp_path / "back").read_bytes(), what
        (tmp_path / name).unlink()
        assert there.untouched(), what


def test_a_put_over_rest_follows_no_reference(served: Served, there: Canaries) -> None:
    """Every file under every contract."""
    sent = chosen(there)
    with served.http() as http:
        for contract in CONTRACTS:
            collection = contract.partition(":")[0]
            for number, (name, data) in enumerate(sent.values()):
                headers = {"Lithify-Contract": contract}
                answer = http.put(f"/v1/objects/{collection}/{number}/{quote(name)}", content=data, headers=headers)
                assert 201 == answer.status_code, answer.text
        Worker(served.archive).run(until_idle=True)
        for contract in CONTRACTS:
            for number, (what, (name, data)) in enumerate(sent.items()):
                where = f"/v1/objects/{contract.partition(':')[0]}/{number}/{quote(name)}"
                back = http.get(where)
                assert 200 == back.status_code, what
                assert SECRET not in back.content, what
                assert contract != "exact" or data == back.content, what
    assert there.untouched()
