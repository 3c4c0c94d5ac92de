"""Which codecs of the house have kernels, and that warming makes all of them.

Not in test_kernels.py: once its module has changed where kernels are kept, those of the house would be made anew.
"""

import inspect
import re
import subprocess
import sys
from pathlib import Path

from lithify.codecs.registry import FORMATS, codec_class
from tests.house import ROOT


def test_every_codec_whose_family_uses_numba_says_so() -> None:
    silent = []
    for codec in map(codec_class, FORMATS):
        folder = Path(inspect.getfile(codec)).parent
        uses_numba = any(re.search(r"^(from|import) numba\b", path.read_text(), re.M) for path in folder.rglob("*.py"))
        if uses_numba and not codec.facts.kernels:
            silent.append(codec.facts.id)
    assert [] == silent


def test_warming_makes_every_kernel_that_coding_needs() -> None:
    """With the kernels this user has; if those are none, or not of this code, half a minute passes here."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.cold_kernels"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ("", 0) == (ran.stdout.strip(), ran.returncode), ran.stderr
