"""`make bench` runs every bench; `python -m bench NAME [ARGUMENT...]` runs one."""

import sys
from importlib import import_module

BENCHES = (
    "cli",
    "ingest",
    "upload",
    "codecs",
    "logs",
    "text",
    "languages",
    "lm",
    "arrays",
    "array_containers",
    "slices",
    "array_slices",
    "media",
    "media_samples",
    "media_floor",
    "media_video",
    "packs",
    "queue",
)
"""Each is a module here with `main(arguments)`."""


def main(arguments: list[str]) -> int:
    """Run what was asked for. A slow machine is no failure; only an unknown name is."""
    wanted, rest = (arguments[:1], arguments[1:]) if arguments else (BENCHES, [])
    if wanted[0] not in BENCHES:
        print(f"there is no bench {wanted[0]!r}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in wanted:
        module = import_module(f"bench.{name}")
        print(f"\n== {name}: {(module.__doc__ or '').splitlines()[0]}")
        module.main(rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
