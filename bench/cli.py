"""How long a person waits for the command line: `--help`, and `put` of one small file."""

from bench.figures import seconds, spread, table
from bench.program import run, workplace
from bench.samples import log_lines

ROUNDS = 20


def main(arguments: list[str]) -> None:
    """Start the program again and again, from a shell's point of view."""
    del arguments
    with workplace() as work:
        archive, file = work / "archive", work / "small.log"
        helps, puts, waits = [], [], []
        for number in range(ROUNDS):
            file.write_bytes(log_lines(1000, number))
            helps.append(seconds(lambda: run("--help")))
            puts.append(seconds(lambda: run("--archive", archive, "put", file)))
            file.write_bytes(log_lines(1000, -1 - number))
            waits.append(seconds(lambda: run("--archive", archive, "put", "--wait", file)))
    rows = [("lithify --help", helps, 0.3), ("lithify put, 1 KB", puts, 1.0), ("lithify put --wait, 1 KB", waits, "")]
    titles = ("command", f"seconds, median of {ROUNDS} (all)", "bar")
    table(titles, ((name, spread(found, ".3f"), bar) for name, found, bar in rows))
