"""One picture with what a file says about it, whatever the form of the file."""

from dataclasses import dataclass, replace

from lithify.codecs.media.pictures import Picture
from lithify.codecs.media.stills.exif import UPRIGHT, orientation, turned, with_orientation


@dataclass(frozen=True)
class Notes:
    """What every modern form has a place for; empty where the file says nothing."""

    profile: bytes = b""
    """ICC: what the numbers mean as colours; without it they are sRGB."""
    exif: bytes = b""
    """From its byte order on."""
    xmp: bytes = b""


@dataclass(frozen=True)
class Still:
    """A picture; compare with `same_pixels`, arrays have no truth."""

    picture: Picture
    """(height, width, channels): grey, grey and opacity, colours, or colours and opacity; uint8 or uint16."""
    bits: int
    """Of a sample in the file, 1 to 16; fewer than 8 were spread over 8."""
    media_type: str
    notes: Notes = Notes()
    others: tuple[str, ...] = ()
    """Names of what else the file says that no other form has a place for."""
    turn: int = UPRIGHT
    """As Exif numbers orientations, where the file says it elsewhere than in Exif."""

    @property
    def has_opacity(self) -> bool:
        return self.picture.shape[2] in {2, 4}

    @property
    def orientation(self) -> int:
        """1 to 8, as Exif numbers them; 1 is upright."""
        return self.turn if self.turn != UPRIGHT else orientation(self.notes.exif)

    def upright(self) -> "Still":
        """The same, turned as it is to be shown, with an Exif that says so."""
        how = self.orientation
        if how == UPRIGHT:
            return self
        notes = replace(self.notes, exif=with_orientation(self.notes.exif, UPRIGHT))
        return replace(self, picture=turned(self.picture, how), notes=notes, turn=UPRIGHT)
