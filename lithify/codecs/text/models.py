"""The models that this release ships: what each is called, what it was taught, and by which it is known again.

A model is a file beside this one; MODEL.md is the whole story. Whoever adds another adds a line to MODELS.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from lithify.codecs.text.classes import TextClass

Role = Literal["tables", "network"]
"""The statistics that every text is mixed with; the network that reads along at effort `max`, beside them."""


class Pack(NamedTuple):
    """Texts of one kind that a model has read."""

    name: str
    text_class: TextClass
    megabytes: int
    sources: str
    licences: str


@dataclass(frozen=True)
class Model:
    """What a model is, without its numbers."""

    codec: str
    digest: str
    """SHA-256 of its content, as it is in memory."""
    streams: str
    """SHA-256 of what it makes of the texts of proof.py, on every machine."""
    path: Path
    data: tuple[Pack, ...]
    role: Role = "tables"

    @property
    def name(self) -> str:
        """The codec, and what payloads call the model."""
        return f"{self.codec}-{self.digest[:4]}"

    @property
    def classes(self) -> list[str]:
        """The classes of text for which it has learnt something; it knows where any other bytes start."""
        return list(dict.fromkeys(pack.text_class.name.lower() for pack in self.data))


_PACKS = (
    Pack(
        "books_en",
        TextClass.PROSE,
        122,
        "247 novels: classic-books-markdown, ELTeC-eng",
        "public domain in the USA; CC BY 4.0",
    ),
    Pack("docs2", TextClass.DOCS, 47, "the documentation of C++ and PowerShell by Microsoft", "CC BY 4.0"),
    Pack(
        "code",
        TextClass.CODE,
        53,
        "14 projects: Python, Go, Ruby, Rust, Java, C++, TypeScript",
        "BSD-3, MIT, Apache-2.0",
    ),
    Pack(
        "json",
        TextClass.MARKUP,
        11,
        "SchemaStore, factbook, OpenAPI, schemathesis",
        "Apache-2.0, public domain, MIT",
    ),
    Pack("markup", TextClass.MARKUP, 5, "openstax (CNXML), warehouse (HTML)", "CC BY 4.0, Apache-2.0"),
)
ENGLISH = Model(
    codec="text.mixing",
    digest="c09f618e3e54ad6594fe3f348383098ceb77933e005976995c48182d49f1d095",
    streams="b1296b2aa533a51e8ef8b6fd7cb5adb0a0778d443b4cb72bfba61c8a056989af",
    path=Path(__file__).parent / "learnt.bin",
    data=_PACKS,
)
NETWORK = Model(
    codec="text.mixing",
    digest="8796626782c5476fe1ded7fb1ceed380d522a6bac89fe3173d5b62fad5a7f7f4",
    streams="1b9ac77c5db563eca821d28d2df9ac7daa16aadbc302674deb408703cf8531cc",
    path=Path(__file__).parent / "network.bin",
    data=_PACKS,
    role="network",
)
LANGUAGES = Model(
    codec="text.mixing",
    digest="489c2344a4933d42e05a485a0ce1713baa0a0bb52ddb886a36f3f4fd5ad1f938",
    streams="ecb84376b752b427009b7e65cf01e0581d8ebae6f93435162ca11a6f29888ca9",
    path=Path(__file__).parent / "languages.bin",
    data=(
        Pack(
            "languages",
            TextClass.LANGUAGES,
            40,
            "Czech, Dutch, French, German, Italian, Japanese, Korean, Polish, Portuguese, Russian, Spanish, Swedish, "
            "Turkish, Ukrainian and Chinese in five families of Debian packages: LibreOffice help, Debian handbook and "
            "reference, GNOME documentation, Battle for Wesnoth",
            "MPL-2.0, GPL-2+, CC BY-SA 3.0",
        ),
    ),
)
MODELS = (ENGLISH, LANGUAGES, NETWORK)


def tables_of(text_class: TextClass) -> Model:
    """The tables that a class of text is mixed with."""
    return LANGUAGES if text_class is TextClass.LANGUAGES else ENGLISH
