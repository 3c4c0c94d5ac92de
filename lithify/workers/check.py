"""Check: compare what the catalog says with what the cellar holds, and name everything that differs."""

from typing import TYPE_CHECKING

from lithify.store import health
from lithify.store.blobs import Address
from lithify.store.views import CheckReport, Finding
from lithify.workers.scrub import inspect, where_it_stands

if TYPE_CHECKING:
    from lithify.workers.archive import Archive


class _Look:
    """Looks at each blob once, however many objects stand on it."""

    def __init__(self, archive: "Archive", *, read_data: bool) -> None:
        self._archive = archive
        self._read_data = read_data
        self.seen: dict[str, str | None] = {}
        self.read_bytes = 0

    def at(self, place: Address, damage: str | None) -> str | None:
        """What is wrong with a blob, in a sentence; `damage` is what the catalog knows already."""
        if place.digest not in self.seen:
            self.seen[place.digest] = damage or where_it_stands(self._archive, place, self._wrong)
        return self.seen[place.digest]

    def _wrong(self, place: Address) -> str | None:
        if not self._archive.blobs.exists(place):
            return f"blob {place.digest} is missing or has another length"
        if not self._read_data:
            return None
        self.read_bytes += place.length
        return inspect(self._archive, place)


def check_archive(archive: "Archive", *, read_data: bool) -> CheckReport:
    """Look at every live revision's blob, at primers, models and every pack; with `read_data`, hash every blob."""
    findings: list[Finding] = []
    objects = 0
    look = _Look(archive, read_data=read_data)
    with archive.catalog.reading() as connection:
        for collection, name in health.without_current(connection):
            findings.append(Finding("object", f"{collection}/{name}", "corrupt", "no encoding serves it"))
        for collection, name, place, damage in health.current_places(connection):
            objects += 1
            if (found := look.at(place, damage)) is not None:
                findings.append(Finding("object", f"{collection}/{name}", "corrupt", found))
        for collection, name, place, damage in health.primers_needed(connection):
            if (found := look.at(place, damage)) is not None:
                findings.append(Finding("object", f"{collection}/{name}", "missing_primer", _needs(place, found)))
        for collection, place, damage in health.primers_to_come(connection):
            if (found := look.at(place, damage)) is not None:
                findings.append(Finding("collection", collection, "missing_primer", _needs(place, found)))
        for collection, name, model in health.models_needed(connection):
            if not archive.models.has(model):
                findings.append(Finding("object", f"{collection}/{name}", "missing_model", archive.models.lacks(model)))
    packs = list(archive.blobs.packs())
    for pack in packs:
        findings += [
            Finding("pack", pack, "corrupt", sentence) for sentence in archive.blobs.damage(pack, read_data=read_data)
        ]
    return CheckReport(objects, len(look.seen), len(packs), look.read_bytes, tuple(findings))


def _needs(primer: Address, wrong: str) -> str:
    return f"it needs primer {primer.digest}: {wrong}"
