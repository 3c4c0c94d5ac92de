"""The classes of text: what each starts from was learnt in other texts of its kind."""

from enum import IntEnum


class TextClass(IntEnum):
    """The numbers are part of the format."""

    PROSE = 0
    DOCS = 1
    CODE = 2
    MARKUP = 3
    OTHER = 4
    """Any bytes: nothing learnt elsewhere is looked up."""
    LANGUAGES = 5
    """Prose in other languages than English; it has tables of its own."""


FIRST_CLASSES = tuple(TextClass)[: TextClass.LANGUAGES]
"""Those that the tables of English, and the network beside them, know."""
