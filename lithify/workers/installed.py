"""Which codecs this release knows, and which of them can run here: what `lithify codecs` shows."""

from typing import Any

from lithify.codecs.registry import codec_class, known_formats
from lithify.errors import MissingExtra
from lithify.workers.extras import missing_extras


def codec_facts() -> list[dict[str, Any]]:
    """One document per known format, by number; `missing` says what to install, None when it can run."""
    return [_facts(format_id, target) for format_id, target in sorted(known_formats().items())]


def _facts(format_id: int, target: str) -> dict[str, Any]:
    try:
        facts = codec_class(format_id).facts
    except MissingExtra as error:
        known = {"codec": target, "format": f"0x{format_id:04x}", "contracts": [], "papers": []}
        return {**known, "missing": error.message}
    return {
        "codec": facts.id,
        "format": str(facts.format),
        "contracts": sorted(facts.contracts),
        "papers": list(facts.papers),
        "missing": missing_extras(facts.needs),
    }
