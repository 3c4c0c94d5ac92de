"""Every named place where a kill is tried lies in the code, before and after its step, and in a README."""

import ast
import os
import signal
import subprocess
import sys
from functools import cache

from lithify.crashpoints import NAMES, STEPS
from tests.house import PACKAGE, parsed, python_files


@cache
def called_points() -> dict[str, list[str]]:
    """Crash point to the files that call it."""
    found: dict[str, list[str]] = {}
    for path in python_files("lithify"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "crashpoint":
                assert len(node.args) == 1, path
                assert isinstance(node.args[0], ast.Constant), f"{path}: a crash point is named by a literal"
                found.setdefault(str(node.args[0].value), []).append(str(path.relative_to(PACKAGE)))
    return found


def test_every_listed_point_is_called_somewhere() -> None:
    assert sorted(set(NAMES) - called_points().keys()) == []


def test_every_called_point_is_listed() -> None:
    assert sorted(called_points().keys() - set(NAMES)) == []


def test_the_readme_of_the_hands_lists_every_step() -> None:
    readme = (PACKAGE / "workers" / "README.md").read_text(encoding="utf-8")
    missing = [step for step, meaning in STEPS.items() if f"| `{step}` | {meaning}" not in readme]
    assert missing == []


def test_an_armed_point_kills_the_process_at_its_nth_pass() -> None:
    code = (
        "from lithify.crashpoints import crashpoint\n"
        "for number in range(9):\n"
        "    print(number, flush=True)\n"
        "    crashpoint('work.before_claim')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LITHIFY_CRASHPOINT": "work.before_claim:3"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"0\n1\n2\n")
