"""How long a task in a codec's process may take: an hour for a part, and for more so much as there is more of it."""

from lithify import limits


def wall_seconds_for(work_bytes: int, part_seconds: float = limits.CHILD_WALL_SECONDS) -> float:
    """Longest that a task about so many bytes may take; `part_seconds`: one about no more than a part."""
    beyond = max(0, work_bytes - limits.PART_BYTES)
    return part_seconds + beyond / limits.MIB * limits.CHILD_WALL_SECONDS_PER_MIB
