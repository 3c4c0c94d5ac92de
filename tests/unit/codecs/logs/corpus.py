"""Logs as services write them, made up from a seed: the same bytes in every run."""

import json
import random
from collections.abc import Callable, Iterator

from tests.examples import examples

EXAMPLES = examples(200, "LOGS_EXAMPLES")
"""Logs that a random test tries; on a long evening LOGS_EXAMPLES=10000."""

_WORDS = b"north face grain settled layer drift silt basalt quartz shard seam vein strata ledger vault cellar".split()
_USERS = b"root admin deploy ana bo chi".split()
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

Maker = Callable[[random.Random, int], Iterator[bytes]]


def _clock(chance: random.Random, number: int) -> tuple[int, int, int]:
    """A time of day that mostly moves on."""
    second = (number * 3 + chance.randrange(3)) % 86_400
    return second // 3600, second // 60 % 60, second % 60


def _address(chance: random.Random) -> bytes:
    return b"10.%d.%d.%d" % (chance.randrange(3), chance.randrange(256), chance.randrange(256))


def _words(chance: random.Random, most: int) -> bytes:
    return b" ".join(chance.choice(_WORDS) for _ in range(chance.randint(1, most)))


def syslog(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Times without a year, days padded with a space."""
    for n in range(lines):
        user, port = chance.choice(_USERS), chance.randrange(1024, 65_536)
        says = (
            b"sshd[%d]: Failed password for %s from %s port %d ssh2" % (n // 7, user, _address(chance), port),
            b"sshd[%d]: Accepted publickey for %s from %s port %d" % (n // 7, user, _address(chance), port),
            b"cron[%d]: (root) CMD (run-parts /etc/cron.hourly/%d)" % (n, n % 9),
            b"kernel: [%5d.%06d] eth0: link %s" % (n, n * 77 % 10**6, chance.choice((b"up", b"down"))),
        )
        time = b"%s %2d %02d:%02d:%02d" % (_MONTHS[n // 900 % 12], 1 + n // 30 % 28, *_clock(chance, n))
        yield time + b" vault-%d " % (n % 3) + chance.choice(says)


def access(chance: random.Random, lines: int) -> Iterator[bytes]:
    """A web server's, with quotes, brackets and paths."""
    for n in range(lines):
        time = b"%02d/%s/2026:%02d:%02d:%02d +0000" % (1 + n // 400 % 28, _MONTHS[10], *_clock(chance, n))
        path = b"/v1/%s/%d?after=%x" % (chance.choice(_WORDS), chance.randrange(500), chance.getrandbits(24))
        yield b'%s - %s [%s] "%s %s HTTP/1.1" %d %d "-" "probe/1.%d (x86_64)"' % (
            *(_address(chance), chance.choice((b"-", *_USERS)), time, chance.choice((b"GET", b"PUT")), path),
            *(chance.choice((200, 200, 201, 404, 503)), chance.randrange(9_000), chance.randrange(3)),
        )


def json_lines(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Objects in objects, escapes in strings, floats, lists."""
    for n in range(lines):
        hour, minute, second = _clock(chance, n)
        thing = {
            "ts": f"2026-11-21T{hour:02}:{minute:02}:{second:02}.{n * 7919 % 10**6:06}Z",
            "level": chance.choice(("info", "info", "warn")),
            "msg": f'settled "{chance.choice(_WORDS).decode()}" in C:\\vault\\{n % 7}',
            "trace": {"id": f"{chance.getrandbits(64):016x}", "span": {"n": n, "parent": None, "s": n / 8}},
            "tags": [word.decode() for word in _WORDS[: chance.randrange(4)]],
        }
        yield json.dumps(thing).encode()


def postgres(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Statements that go on in lines of their own."""
    for n in range(lines // 2):
        hour, minute, second = _clock(chance, n)
        yield b"2026-11-21 %02d:%02d:%02d.%03d UTC [%d] user@db LOG:  duration: %d.%03d ms  statement: SELECT *" % (
            *(
                hour,
                minute,
                second,
                chance.randrange(1000),
                3000 + n % 20,
                chance.randrange(90),
                chance.randrange(1000),
            ),
        )
        yield b"\tFROM grains WHERE seam = '%s' AND depth < %d.%d" % (chance.choice(_WORDS), n % 90, n % 10)


def android(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Months and days only, numbers padded with spaces."""
    for n in range(lines):
        time = b"%02d-%02d %02d:%02d:%02d.%03d" % (3, 17, *_clock(chance, n), n * 13 % 1000)
        yield time + b" %5d %5d %s PowerManager: %s lock=%d, flags=0x%x" % (
            *(1702, 1702 + n % 900, chance.choice((b"D", b"I", b"W")), _words(chance, 3)),
            *(chance.getrandbits(30), chance.getrandbits(12)),
        )


def hdfs(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Days and times without marks, block numbers of twenty digits, some negative."""
    for n in range(lines):
        time = b"081109 %02d%02d%02d" % _clock(chance, n)
        block = b"blk_%d" % (chance.getrandbits(64) - (1 << 63))
        says = (
            b"dfs.DataNode$PacketResponder: PacketResponder %d for block %s terminating" % (n % 3, block),
            b"dfs.FSNamesystem: BLOCK* addStoredBlock: blockMap updated: %s:50010 is added to %s size %d"
            % (_address(chance), block, 67_108_864 - n % 5),
        )
        yield time + b" %d INFO " % (n % 400) + chance.choice(says)


def bgl(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Three times in a line, of three formats, and upper-case places."""
    for n in range(lines):
        clock = _clock(chance, n)
        place = b"R%02d-M%d-N%X-C:J%02d-U11" % (n % 40, n % 2, n % 16, n % 18)
        yield b"- %d 2005.06.03 %s 2005-06-03-%02d.%02d.%02d.%06d %s RAS KERNEL INFO %s" % (
            *(1_117_838_570 + n, place, *clock, chance.randrange(10**6), place),
            chance.choice((b"instruction cache parity error corrected", b"generating core.%d" % n)),
        )


def spark(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Years of two digits."""
    for n in range(lines):
        yield b"17/06/09 %02d:%02d:%02d INFO executor.Executor: Finished task %d.0 in stage %d.0 (TID %d). %d bytes" % (
            *_clock(chance, n),
            *(n % 40, n // 40, n, chance.choice((2087, 2087, 2703))),
        )


def windows(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Commas, wide gaps, hexadecimal codes, and line ends of two bytes."""
    for n in range(lines):
        yield b"2016-09-28 %02d:%02d:%02d, Info                  CBS    Session: %d_%d, result 0x%08X\r" % (
            *_clock(chance, n),
            *(30_546_173 + n // 9, chance.getrandbits(31), chance.choice((0, 0x800F080D))),
        )


def traces(chance: random.Random, lines: int) -> Iterator[bytes]:
    """Stack traces between lines with a time."""
    for n in range(lines // 5):
        clock = _clock(chance, n)
        yield b"2026-11-21 %02d:%02d:%02d,%03d ERROR [worker-%d] failed: {%s}" % (*clock, n % 1000, n % 4, b"a=[1, (2]")
        yield b"java.lang.IllegalStateException: %s" % _words(chance, 5)
        for depth in range(3):
            yield b"\tat org.rock.%s.Seam$%d.run(Seam.java:%d)" % (chance.choice(_WORDS), depth, chance.randrange(400))


def pairs(chance: random.Random, lines: int) -> Iterator[bytes]:
    """key=value, in no fixed order, numbers with leading zeros, a unit behind."""
    for n in range(lines):
        found = [b"n=%05d" % n, b"took=%dms" % chance.randrange(400), b'who="%s"' % chance.choice(_USERS)]
        found += [b"id=%032x" % chance.getrandbits(128), b"ratio=%.3f" % chance.random(), b"zone=eu-%d" % (n % 3)]
        if chance.random() < 0.2:
            chance.shuffle(found)
        yield b" ".join(found)


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (syslog, access, json_lines, postgres, android, hdfs, bgl, spark, windows, traces, pairs)
}


def log(name: str, lines: int, seed: int = 1) -> bytes:
    """A log of one kind."""
    return b"".join(line + b"\n" for line in MAKERS[name](random.Random(f"{name}/{seed}"), lines))


def mixture(lines: int, seed: int = 1) -> bytes:
    """Lines of all kinds, in no order."""
    chance = random.Random(seed)
    found = [line for name in MAKERS for line in log(name, lines // len(MAKERS) + 5, seed).splitlines(keepends=True)]
    chance.shuffle(found)
    return b"".join(found[:lines])


def everything(seed: int = 1) -> bytes:
    """A block with something in nearly every stream there is: many shapes, closed groups, wide and narrow numbers."""
    chance = random.Random(seed)
    marks = b"!#$%&*+-:;<=>?@^~,'"
    out = [mixture(300, seed)]
    for n in range(260):
        shape = bytes(marks[n // 19**k % 19] for k in range(2))
        out += [shape + b" seam %d\n" % chance.randrange(9) for _ in range(4)]
    for n in range(120):
        out.append(b'say "%s" now\n' % bytes(chance.choice(marks) for _ in range(n % 9)))
        out.append(b"id %016x z%d q%d\n" % (chance.getrandbits(64), n * 7 % 400, chance.getrandbits(n % 60 + 1)))
        out.append(b"wide %s; %d, %d at 10:00:0%d.%06d\n" % (b"9" * (n % 17 + 1), n**8, n**3, n % 9, n**2))
    out += [b"back z%d\n" % (n * 7 % 400) for n in range(400)]
    for bits in range(8, 60, 8):  # numbers of which only the ends vary
        out += [
            b"\\" * (bits // 8) + b" %d\n" % (chance.randrange(1, 9) << bits | chance.randrange(3)) for _ in range(90)
        ]
    out += [b"mostly %d\n" % (n % 3 if n % 60 else 10**17 + n) for n in range(200)]
    return b"".join(out)
