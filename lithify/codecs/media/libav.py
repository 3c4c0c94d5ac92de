"""PyAV, silent: what ffmpeg's libraries would print about strange bytes is nothing anybody asked for."""

from types import ModuleType

from lithify.errors import MissingExtra


def libav() -> ModuleType:
    """The module `av`, loaded where it is needed first. Raises MissingExtra if it is not there."""
    try:
        import av
        import av.logging
    except ModuleNotFoundError as error:
        raise MissingExtra("moving pictures need the extra media: pip install 'lithify[media]'") from error

    av.logging.set_level(None)
    return av
