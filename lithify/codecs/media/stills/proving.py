"""Whether what comes back keeps a contract: both files are read anew, and nothing is known of how one was made."""

from importlib.metadata import version
from typing import Any

from lithify.codecs.fidelity import Contract
from lithify.codecs.media.stills.forms import AVIF, JXL
from lithify.codecs.media.stills.measuring import distance, figures
from lithify.codecs.media.stills.reaching import says_the_same
from lithify.codecs.media.stills.reading import read_still
from lithify.codecs.media.stills.still import Still
from lithify.errors import BadArgument, FidelityBroken


def measured(original: bytes, decoded: bytes, contract: Contract) -> dict[str, Any]:
    """Figures for people. Raises FidelityBroken unless the contract is kept."""
    if original == decoded:
        return {}
    try:
        before, after = read_still(original), read_still(decoded)
    except BadArgument as error:
        raise FidelityBroken(f"what came back cannot be compared: {error.message}") from error
    if contract.kind == "content":
        if not says_the_same(before, decoded):
            raise FidelityBroken(f"{after.media_type} came back, and does not say all that {before.media_type} said")
        return _told(before, after)
    if contract.kind != "floor" or contract.metric is None or contract.value is None:
        raise FidelityBroken(f"of pictures {contract} is not measured")
    upright = before.upright()
    if upright.picture.shape != after.picture.shape or upright.picture.dtype != after.picture.dtype:
        raise FidelityBroken(f"{after.picture.shape} samples came back of {upright.picture.shape}, or of another depth")
    if upright.notes != after.notes:
        raise FidelityBroken("the profile, Exif or XMP did not come back as it was")
    found = distance(upright.picture, after.picture)
    reached = found.by(contract.metric)
    if reached < contract.value:
        raise FidelityBroken(f"{contract.metric} is {reached:g}, and {contract} was promised")
    return _told(before, after) | figures(found, after.picture)


def _told(before: Still, after: Still) -> dict[str, Any]:
    height, width, channels = after.picture.shape
    told: dict[str, Any] = {"media_type": after.media_type, "width": width, "height": height, "channels": channels}
    told["bits"] = 8 * after.picture.dtype.itemsize
    told["made_by"] = _tool(after.media_type)
    if before.others:
        told["not_carried"] = ", ".join(before.others)
    if before.orientation != after.orientation:
        told["turned_upright"] = True
    return told


def _tool(media_type: str) -> str:
    """The library that writes this form here, and its version."""
    if media_type == AVIF:
        from PIL import features

        return f"libavif {features.version('avif')} (Pillow {version('pillow')})"
    import imagecodecs

    library = imagecodecs.jpegxl_version() if media_type == JXL else imagecodecs.webp_version()
    return f"{library.replace('-', ' ')} (imagecodecs {version('imagecodecs')})"
