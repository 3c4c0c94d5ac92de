"""How far a film that came back is from the one that was put in, whoever made it. Both are looked at anew."""

from typing import Any

from lithify.codecs.fidelity import Contract
from lithify.codecs.media.ffmpeg.program import version
from lithify.codecs.media.ffmpeg.quality import PSNR, SSIM, measure
from lithify.codecs.media.film import look
from lithify.codecs.media.film_kept import refuse_changed
from lithify.errors import FidelityBroken


def measured(original: bytes, decoded: bytes, contract: Contract) -> dict[str, Any]:
    """A flat table of figures. Raises FidelityBroken unless the contract is kept."""
    if original == decoded:
        return {"identical": True}
    pictures = refuse_changed(original, decoded, same_pictures=contract.kind == "content")
    figures: dict[str, Any] = {"pictures": pictures, "codec": look(decoded).pictures.codec}
    if contract.kind == "content":
        return {**figures, "pictures_equal": True}
    assert contract.metric is not None, "a floor has a metric"
    peak = (1 << look(original).pictures.bits) - 1
    found = measure(original, decoded, sorted({contract.metric, SSIM, PSNR}), peak)
    for metric, quality in found.items():
        if quality.pictures != pictures:
            raise FidelityBroken(f"{metric} was measured of {quality.pictures} pictures, there are {pictures}")
        figures |= {metric: quality.mean, f"{metric}_low_1_percent": quality.low}
    promised = contract.value or 0.0
    if found[contract.metric].mean < promised:
        raise FidelityBroken(f"{contract.metric} is {found[contract.metric].mean}, at least {promised:g} was promised")
    return {**figures, "ffmpeg": version()}
