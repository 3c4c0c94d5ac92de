"""python -m lithify.codecs.text.train.network FOLDER WORK [--config FILE] [--out FILE]

Trains network.bin beside the tables that learnt.bin holds, on the tar files in FOLDER (../corpus.py). WORK keeps what
the mixer thinks of them, and checkpoints: a run that was stopped goes on when it is started again. Prints the SHA-256
that network.py must name, and that of the streams that proof.py must name.
"""

import argparse
from pathlib import Path

from lithify.codecs.text import network
from lithify.codecs.text.learnt import learnt
from lithify.codecs.text.proof import read_streams_digest
from lithify.codecs.text.train.corpus import read_corpus
from lithify.codecs.text.train.network.beginning import all_beginnings
from lithify.codecs.text.train.network.config import Config
from lithify.codecs.text.train.network.exporting import exported
from lithify.codecs.text.train.network.fitting import Fit
from lithify.codecs.text.train.network.gathering import gather

_SMALL = Path(__file__).parent / "small.json"


def main() -> None:
    """Gather, train, export, let the mixers get used to it, write."""
    parser = argparse.ArgumentParser(prog="python -m lithify.codecs.text.train.network")
    parser.add_argument("folder", type=Path, help="where the tar files are")
    parser.add_argument("work", type=Path, help="where to keep what takes long")
    parser.add_argument("--config", type=Path, default=_SMALL)
    parser.add_argument("--out", type=Path, default=network.PATH)
    asked = parser.parse_args()
    config = Config.read(asked.config)
    learning, held_out = gather(asked.folder, asked.work, config.megabytes, config.hash_logs)
    fit = Fit(config, asked.work / "checkpoint.pt")
    fit.run(learning, held_out)
    made = exported(fit.network, config, learning)
    packed = network.pack(config.shape, made, all_beginnings(read_corpus(asked.folder), made))
    asked.out.write_bytes(packed)
    found = network.unpack(packed, learnt())
    print(
        f"{asked.out}: {len(packed):,} bytes, network {found.digest.hex()}, streams {read_streams_digest(found)}; "
        f"beside tables {found.learnt.digest.hex()}"
    )


if __name__ == "__main__":
    main()
