"""Texts to learn languages from: out of packages that are what they should be, out of what marks them up."""

import hashlib
import io
import struct
import tarfile
from pathlib import Path

import pytest

from lithify.codecs.text.train.languages import debian, sources
from lithify.codecs.text.train.languages.plain import of_messages, of_page
from lithify.codecs.text.train.languages.sources import texts
from lithify.errors import Corrupt

PAGE = """<html><head><title>x</title><style>p {}</style></head><body><h1>Stein</h1>
<p>Was sich gesetzt hat,   wird <b>zu Stein</b>.</p><pre>a
  b</pre><ul><li>eins<li>zwei</ul></body></html>"""


def package(files: dict[str, bytes]) -> bytes:
    """A package of Debian with these files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": data.getvalue()}
    return b"!<arch>\n" + b"".join(
        f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(member):<10}`\n".encode() + member + b"\n" * (len(member) % 2)
        for name, member in members.items()
    )


def catalog(*messages: str) -> bytes:
    """A compiled catalog of gettext; the first message is about itself."""
    encoded = [message.encode() for message in ("about", *messages)]
    at = 28 + 16 * len(encoded)
    table, text = b"", b""
    for message in encoded:
        table += struct.pack("<II", len(message), at + len(text))
        text += message + b"\0"
    head = struct.pack("<IIIIIII", 0x950412DE, 0, len(encoded), 28, 28 + 8 * len(encoded), 0, 0)
    return head + table + table + text


def test_a_page_says_its_paragraphs() -> None:
    assert of_page(PAGE) == "Stein\n\nWas sich gesetzt hat, wird zu Stein.\n\na\nb\n\neins\nzwei"


def test_a_catalog_says_its_sentences_without_marks() -> None:
    long = "Was sich gesetzt hat, wird mit der Zeit zu Stein, und bleibt."
    marked = f"<ref>text='{long}'</ref>|"
    assert of_messages(catalog("Ja", long, f"menu\x04{marked}")) == f"{long}\n{long}"
    assert of_messages(b"no catalog") == ""


def test_the_files_of_a_package_are_read(tmp_path: Path) -> None:
    inside = {"usr/share/a": b"rock", "usr/share/b": b"s" * 1001}
    made = package(inside)
    assert inside == dict(debian.files(made))
    (tmp_path / "a_1_all.deb").write_bytes(made)
    assert made == debian.fetch("pool/a/a_1_all.deb", hashlib.sha256(made).hexdigest(), tmp_path)


def test_what_is_another_package_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a_1_all.deb").write_bytes(b"sand")
    with pytest.raises(Corrupt, match="expected 0000"):
        debian.fetch("pool/a/a_1_all.deb", "0" * 64, tmp_path)
    with pytest.raises(Corrupt, match="begins with"):
        dict(debian.files(b"sand"))


def test_lines_that_come_again_and_lines_in_english_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {
        f"usr/share/libreoffice/help/de/text/{number}.html": (
            f"<p>Am Anfang jeder Seite.</p><p>This is the rest.</p><p>{f'Seite {number} sagt mehr. ' * 60}</p>".encode()
        )
        for number in range(4)
    }
    made = package({**pages, "usr/share/libreoffice/help/xx/text/1.html": b"<p>rock</p>" * 200})
    (tmp_path / "l_1_all.deb").write_bytes(made)
    rows = "use\tpackage\tpool\tsha256\n"
    rows += f"learn\tlibreoffice-help-de\tpool/l_1_all.deb\t{hashlib.sha256(made).hexdigest()}\n"
    (tmp_path / "packages.tsv").write_text(rows)
    monkeypatch.setattr(sources, "PACKAGES", tmp_path / "packages.tsv")
    found = [text.text.decode() for text in texts(tmp_path)]
    assert (4, 2) == (len(found), sum("Am Anfang" in text for text in found))
    assert not any(" the " in text for text in found)
    assert [] == list(texts(tmp_path, "measure"))


def test_what_is_learnt_from_is_not_measured() -> None:
    rows = [line.split("\t") for line in sources.PACKAGES.read_text().splitlines()[1:]]
    learnt, measured = ({name for use, name, *_ in rows if use == wanted} for wanted in ("learn", "measure"))
    assert learnt
    assert measured
    assert not learnt & measured
