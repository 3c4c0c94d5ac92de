"""Films whose pictures lost nothing yet, made anew with the same pictures by a coder that keeps them in less."""

from lithify.codecs.codec import Effort
from lithify.codecs.media.film_kept import refuse_changed
from lithify.codecs.media.film_made import Maker, Setting
from lithify.errors import Corrupt, FidelityBroken, LimitExceeded

_WITHOUT_LOSS = {
    "ffv1", "ffvhuff", "huffyuv", "hymt", "lagarith", "magicyuv", "png", "qtrle", "r210", "rawvideo", "r10k", "utvideo",
    "v210", "v410", "zlib", "zmbv", "y41p", "yuv4",
}  # fmt: skip
_H264_FORMATS = {f"yuv{chroma}p{depth}" for chroma in ("420", "422", "444") for depth in ("", "10le")}
_FFV1 = Setting("ffv1", {"level": 3, "coder": 1, "context": 1, "g": 300, "slicecrc": 1})
_PRESETS: dict[Effort, str] = {"fast": "superfast", "default": "slower", "max": "veryslow"}
_THREADS = 2


def film_of_same_content(original: bytes, effort: Effort) -> bytes:
    """The smallest film found with the same pictures. Raises FidelityBroken, with a sentence, if there is none."""
    maker = Maker.of(original)
    pictures = maker.film.pictures
    if pictures.codec not in _WITHOUT_LOSS:
        raise FidelityBroken(
            f"its pictures are {pictures.codec}, which lost what it could: without loss they would only be larger"
        )
    reasons = []
    for setting in _settings(pictures.pixel_format, pictures.codec, effort):
        try:
            made = maker.made(setting)
            refuse_changed(original, made, same_pictures=True)
        except (Corrupt, FidelityBroken, LimitExceeded) as error:
            reasons.append(f"{setting.coder}: {error.message}")
            continue
        if len(made) < len(original):
            return made
        reasons.append(f"{setting.coder} makes it no smaller")
    raise FidelityBroken(f"no coder keeps its pictures in less: {'; '.join(reasons)}")


def _settings(pixel_format: str, codec: str, effort: Effort) -> list[Setting]:
    """What is tried, the most promising first: what H.264 can have, it makes smaller than FFV1 nearly always."""
    x264 = Setting("libx264", {"qp": 0, "preset": _PRESETS[effort], "threads": _THREADS})
    first = [x264] if pixel_format in _H264_FORMATS else []
    return [*first, _FFV1] if codec != "ffv1" else first
