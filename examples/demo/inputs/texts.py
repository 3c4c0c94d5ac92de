"""Text that ships with Python and the installed packages: manuals, licences, source code, JSON and CSV."""

import csv
import subprocess
import sys
import sysconfig
import tarfile
import unicodedata
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from pydoc_data import topics

_SOURCES = ("asyncio", "email", "http", "importlib", "json", "logging", "unittest", "xml")


def write_texts(folder: Path) -> Iterator[Path]:
    """One file of each kind, and a folder with some dozens of short licences and readmes."""
    yield _manual(folder / "python-manual.txt")
    yield _sources(folder / "stdlib-sources.tar")
    yield _packages(folder / "packages.json")
    yield _characters(folder / "unicode.csv")
    yield from _licences(folder / "licences")


def _manual(path: Path) -> Path:
    """The language reference as `help()` shows it."""
    path.write_text("\n\n".join(topics.topics[name] for name in sorted(topics.topics)), encoding="utf-8")
    return path


def _sources(path: Path) -> Path:
    """Packages of the standard library in one archive, as a source tree is kept."""
    root = Path(sysconfig.get_path("stdlib"))
    with tarfile.open(path, "w") as tar:
        for package in _SOURCES:
            for file in sorted((root / package).rglob("*.py")):
                tar.add(file, arcname=str(file.relative_to(root)))
    return path


def _packages(path: Path) -> Path:
    """What pip knows of this environment, as JSON."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "inspect", "--local"]
    with path.open("wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True)
    return path


def _characters(path: Path) -> Path:
    """Every named character of the Unicode database that this Python carries."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["code", "name", "category", "bidirectional", "combining", "decomposition"])
        for code in range(sys.maxunicode + 1):
            letter = chr(code)
            # CJK and Hangul names only repeat the code.
            if (name := unicodedata.name(letter, "")) and not name.startswith(("CJK", "HANGUL SYLLABLE")):
                facts = unicodedata.category(letter), unicodedata.bidirectional(letter)
                combining, parts = unicodedata.combining(letter), unicodedata.decomposition(letter)
                table.writerow([f"U+{code:04X}", name, *facts, combining, parts])
    return path


def _licences(folder: Path) -> Iterator[Path]:
    """The licence and readme files of all installed packages, each a small object of its own."""
    folder.mkdir()
    for package in metadata.distributions():
        for file in package.files or ():
            source = Path(str(file.locate()))
            if ".dist-info" not in str(file) or "LICEN" not in file.name.upper() or not source.is_file():
                continue
            name = f"{package.name}-{'-'.join(file.parts[1:])}"
            target = folder / name
            if not target.exists():
                target.write_bytes(source.read_bytes())
                yield target
