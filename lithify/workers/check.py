"""Check: compare what the catalog says with what the cellar holds, and name everything that differs."""

from typing import TYPE_CHECKING

from lithify.store import health
from lithify.store.views import CheckReport, Finding
from lithify.workers.scrub import inspect

if TYPE_CHECKING:
    from lithify.workers.archive import Archive


def check_archive(archive: "Archive", *, read_data: bool) -> CheckReport:
    """Look at every live revision's blob and at every pack; with `read_data`, hash every blob."""
    findings: list[Finding] = []
    objects = read_bytes = 0
    seen: dict[str, str | None] = {}
    with archive.catalog.reading() as connection:
        for collection, name in health.without_current(connection):
            findings.append(Finding("object", f"{collection}/{name}", "corrupt", "no encoding serves it"))
        for collection, name, place, damage in health.current_places(connection):
            objects += 1
            if place.digest not in seen:
                standing = archive.blobs.exists(place)
                wrong = damage or (None if standing else f"blob {place.digest} is missing or has another length")
                if wrong is None and read_data:
                    wrong = inspect(archive, place)
                    read_bytes += place.length
                seen[place.digest] = wrong
            if (found := seen[place.digest]) is not None:
                findings.append(Finding("object", f"{collection}/{name}", "corrupt", found))
    packs = list(archive.blobs.packs())
    for pack in packs:
        findings += [
            Finding("pack", pack, "corrupt", sentence) for sentence in archive.blobs.damage(pack, read_data=read_data)
        ]
    return CheckReport(objects, len(seen), len(packs), read_bytes, tuple(findings))
