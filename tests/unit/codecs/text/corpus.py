"""Short texts of every class, written for these tests."""

PROSE = (
    b"The river had carried the sand down from the hills for longer than anybody in the village could remember, and "
    b"nobody had ever asked where it went. Ines did. She was nine years old, and she had found a stone with a shell in "
    b'it.\n\n"It settles," said her grandmother, "and then it waits. Give it time enough and weight enough, and it '
    b'turns to rock. There is nothing more to it."\n\nBut there was more to it, as there always is, and by the '
    b"end of that summer the girl knew much of what there was.\n"
)
DOCS = (
    b"# Getting started\n\nInstall the package with `pip`, then run the command:\n\n```bash\npip install lithify\n"
    b"lithify put notes.md --wait\n```\n\n## Options\n\n* `--json`: print one JSON object per line.\n* `--to`: the "
    b"collection. See [Collections](collections.md) for more information.\n\n> **Note**: you must have the required "
    b"permissions to do this.\n"
)
CODE = (
    b'import os\nfrom pathlib import Path\n\n\nclass Settler:\n    """Settles grains."""\n\n    def __init__(self, '
    b"root: Path) -> None:\n        self.root = root\n\n    def settle(self, grains: list[int]) -> int:\n        if "
    b'not grains:\n            raise ValueError("there are no grains")\n        return sum(grain for grain in grains '
    b"if grain is not None)\n"
)
MARKUP = (
    b'<!DOCTYPE html>\n<html lang="en">\n<head>\n  <meta charset="utf-8">\n  <title>Rock</title>\n</head>\n<body>\n  '
    b'<div class="container">\n    <a href="https://example.org/" class="btn">Read more</a>\n    <p>It settles.</p>\n  '
    b"</div>\n</body>\n</html>\n"
)
FOREIGN = (
    "Der Fluß trägt den Sand zu Tal; dort bleibt er liegen, Körnchen auf Körnchen, bis Stein daraus wird.\n".encode()
    * 2
)

TEXTS = {"prose": PROSE, "docs": DOCS, "code": CODE, "markup": MARKUP}
EVERYTHING = b"".join(TEXTS.values()) + FOREIGN + bytes(range(256)) + PROSE[:300]
"""Something for every part of a decoder: matches, lines, words, all bytes."""
