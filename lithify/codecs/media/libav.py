"""PyAV, silent: what ffmpeg's libraries would print about strange bytes is nothing anybody asked for."""

from types import ModuleType


def libav() -> ModuleType:
    """The module `av`, loaded where it is needed first."""
    import av
    import av.logging

    av.logging.set_level(None)
    return av
