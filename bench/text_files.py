"""The texts to measure with: files that are named, or the evaluation pack that may lie beside the checkout."""

import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.codecs import MEASURED_DATA

PACK = MEASURED_DATA / "text" / "eval.tar.xz"
TRAINING = MEASURED_DATA / "text" / "train"
_SHORT_FOLDER = "short"


@dataclass(frozen=True, slots=True)
class TextFile:
    """One text."""

    name: str
    data: bytes

    @property
    def is_short(self) -> bool:
        """Whether it is one of the documents that are judged together."""
        return self.name.split("/")[0] == _SHORT_FOLDER

    @property
    def source(self) -> str:
        """Where a short document comes from."""
        return re.sub(r"_\d+\.\w+$", "", self.name.rsplit("/", 1)[-1])


def text_files(paths: Sequence[Path]) -> list[TextFile]:
    """The files named; without any, all of the pack. Empty ones are left out."""
    found = (TextFile(path.name, path.read_bytes()) for path in paths) if paths else _members(PACK)
    return sorted((file for file in found if file.data), key=lambda file: file.name)


def _members(path: Path) -> Iterator[TextFile]:
    if not path.exists():
        return
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                yield TextFile(member.name.removeprefix("./"), file.read())


def training_samples(bytes_max: int, sample_bytes: int) -> list[bytes]:
    """The beginnings of texts that were learnt from, evenly of each pack: what a dictionary is trained on."""
    packs = sorted(TRAINING.glob("*.tar.xz"))
    samples: list[bytes] = []
    for path in packs:
        room = bytes_max // len(packs)
        for file in _members(path):
            samples.append(file.data[: min(room, sample_bytes)])
            room -= len(samples[-1])
            if room <= 0:
                break
    return samples
