"""Primers in files: found among those that somebody names, and made of files, with no archive anywhere near."""

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from lithify import limits
from lithify.codecs.frame.primers import check_length, digest_of, missing
from lithify.codecs.registry import by_id
from lithify.errors import BadArgument, LimitExceeded, MissingPrimer
from lithify.workers.kinds import look
from lithify.workers.sandbox import Sandbox


def read_primer_file(path: Path) -> bytes:
    """A primer that somebody named. Raises BadArgument when it is no file, LimitExceeded when it is too long."""
    check_length(_regular(path).st_size, str(path))
    with path.open("rb") as file:
        return file.read(limits.PRIMER_BYTES_MAX)


def _regular(path: Path) -> os.stat_result:
    """What a file is, without opening it: a pipe would be waited for. Raises BadArgument when it is none."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise BadArgument(f"{path} is no regular file, and neither primers nor what they are made of come from others")
    return found


def find_primers(paths: Sequence[Path], needed: Collection[str]) -> list[bytes]:
    """The primers of these digests, among files and the files of folders; nothing is read when none is needed.

    Raises MissingPrimer, naming the first that is not there and what was looked at.
    """
    if len(needed) > limits.PRIMERS_PER_TASK_MAX:
        raise LimitExceeded(f"the frame needs {len(needed)} primers; the limit is {limits.PRIMERS_PER_TASK_MAX}")
    left = set(needed)
    found: list[bytes] = []
    looked_at: list[str] = []
    for path in _files(paths) if left else ():
        primer = read_primer_file(path)
        digest = digest_of(primer)
        if digest in left:
            left.discard(digest)
            found.append(primer)
        else:
            looked_at.append(f"{path} is {digest[:12]}…")
        if not left:
            break
    if left:
        raise _not_among(min(left), looked_at)
    return found


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and in the folders named those that may be a primer."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for inside in sorted(path.iterdir()):
            if inside.is_file() and inside.stat().st_size <= limits.PRIMER_BYTES_MAX:
                yield inside


def _not_among(digest: str, looked_at: Sequence[str]) -> MissingPrimer:
    error = missing(digest)
    if not looked_at:
        return error
    others = f" and {len(looked_at) - 3} more" * (len(looked_at) > 3)
    return MissingPrimer(f"{error.message} (given: {', '.join(looked_at[:3])}{others})")


def make_primer_of(paths: Sequence[Path], codec: str | None = None) -> tuple[bytes, dict[str, Any]]:
    """A primer that files teach, and what was made of what. Raises BadArgument when they teach nothing.

    codec  the only one to be taught; None: the first that learns anything and is made for what most of the files are
    """
    if codec is not None and not by_id(codec).facts.takes_primer:
        raise BadArgument(f"{codec} has no use for a primer")
    samples = _samples(paths)
    with Sandbox() as sandbox:
        asked = {"codecs": [codec] if codec else None, "kinds": _kinds(samples)}
        made = sandbox.run("make_primer", asked, attached=samples)
    if made.result["codec"] is None:
        raise BadArgument(f"no codec learns anything from these {len(samples)} files that would help with the next one")
    primer = made.attached[0]
    document = {"primer": digest_of(primer), "codec": made.result["codec"], "samples": len(samples)}
    return primer, {**document, "sample_bytes": sum(map(len, samples)), "primer_bytes": len(primer)}


def _kinds(samples: Sequence[bytes]) -> list[str]:
    """What most of the samples are; nothing when there are none."""
    return [kind for kind, _ in Counter(look(sample).kind for sample in samples).most_common(1)]


def _samples(paths: Sequence[Path]) -> list[bytes]:
    """The beginnings of files, as many as one child is given."""
    samples: list[bytes] = []
    for path in paths[: limits.PRIMER_SAMPLES_MAX]:
        _regular(path)
        left = limits.PRIMER_SAMPLES_BYTES - sum(map(len, samples))
        with path.open("rb") as file:
            sample = file.read(min(limits.PRIMER_SAMPLE_BYTES, left))
            whole = not file.read(1)
        if sample:
            samples.append(sample if whole else to_line_end(sample))
    return samples


def to_line_end(sample: bytes) -> bytes:
    """The beginning of an original without a line that was cut; all of it when it has no line end."""
    return sample[: sample.rfind(b"\n") + 1] or sample
