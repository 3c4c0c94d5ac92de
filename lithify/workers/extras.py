"""Which of lithify's extras are installed here: a codec that needs a missing one is named, not tried."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, requires, version

_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w.-]+)['\"]")
_DISTRIBUTION = re.compile(r"[\w.-]+")


def missing_extras(needs: tuple[str, ...]) -> str | None:
    """A sentence naming the extras that are not (wholly) installed; None when nothing is missing."""
    missing = [extra for extra in needs if not _is_installed(extra)]
    if not missing:
        return None
    return f"it needs the extra {', '.join(missing)}: pip install 'lithify[{','.join(missing)}]'"


def look_once() -> None:
    """Ask for every extra there is: a process that may open no files later answers from memory, and so do its children.

    What is installed says so in files that need not lie where codecs' processes may read: an editable installation has
    them beside the code.
    """
    for extra in metadata("lithify").get_all("Provides-Extra") or ():
        _is_installed(extra)


@cache
def _is_installed(extra: str) -> bool:
    packages = [
        _DISTRIBUTION.match(line)
        for line in requires("lithify") or ()
        if (marker := _EXTRA.search(line)) and marker[1] == extra
    ]
    return bool(packages) and all(found and _has(found[0]) for found in packages)


def _has(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
