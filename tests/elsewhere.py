"""The same code in a process of its own: with its kernels interpreted, or compiled for another processor."""

import os
import subprocess
import sys

from tests.house import ROOT

INTERPRETED = {"NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "error::RuntimeWarning"}
"""Every index is checked, and numbers that wrap are warned of."""
PLAIN_PROCESSOR = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}


def printed(program: str, environment: dict[str, str]) -> str:
    """What a program prints on standard output; nothing may go wrong, or be said beside it."""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (ran.returncode, ran.stderr[-2000:])
    return ran.stdout.strip()
