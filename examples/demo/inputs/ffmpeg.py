"""The ffmpeg program that comes with imageio-ffmpeg; nothing needs to be installed by hand."""

import imageio_ffmpeg


def ffmpeg_program() -> str:
    """Its path."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())
