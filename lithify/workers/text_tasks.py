"""What a codec's process can be asked about texts and the model that they are coded with: `weigh`, `compare`, `prove`.

Texts are attached; nothing is encoded.
"""

import time
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.codecs.frame import at_hand, checked_model
from lithify.codecs.registry import by_id
from lithify.workers import kernels
from lithify.workers.child import Call, Reply
from lithify.workers.sources import mapped

if TYPE_CHECKING:
    from lithify.codecs.text.costs import Costs, Lines

CODEC = "text.mixing"


def weigh(call: Call) -> Reply:
    """What the lines of a text cost under the model that is shipped.

    attached  the text
    args      by: what makes a line surprising: excess, bits or rate; lines: how many to tell of, the most surprising
              first
    answer    text_class, bits; lines: how many there are; items: number, start, length and bits of each that is told;
              stretch_bytes, stretches: bits per byte of one such stretch after another
    """
    from lithify.codecs.text.costs import weigh as weighed

    kernels.require(by_id(CODEC))
    costs = weighed(call.attached[0], call.progress)
    length = max(limits.WEIGHED_STRETCH_BYTES_MIN, -(-len(costs.text) // limits.WEIGHED_STRETCHES_MAX))
    return Reply(
        {
            "text_class": costs.text_class.name.lower(),
            "bits": costs.bits,
            "lines": len(costs.lines.starts),
            "items": _most_surprising(costs, call.args["by"], call.args["lines"]),
            "stretch_bytes": length,
            "stretches": costs.stretches(length),
        }
    )


def _most_surprising(costs: "Costs", by: str, most: int) -> list[dict[str, Any]]:
    from lithify.codecs.text.costs import BIT

    lines = costs.lines
    order = (-_surprise(lines, by)).argsort(kind="stable")[:most]
    return [
        {
            "number": int(at) + 1,
            "start": int(lines.starts[at]),
            "length": int(lines.lengths[at]),
            "bits": float(lines.costs[at]) / BIT,
        }
        for at in order
    ]


def _surprise(lines: "Lines", by: str) -> Any:
    match by:
        case "bits":
            return lines.costs
        case "rate":
            return lines.costs / lines.lengths
        case _:
            return lines.excess()


def compare(call: Call) -> Reply:
    """What a text costs alone, and behind each of those others that it shares most with.

    attached  the text, and the others
    args      measured: with how many it is compared in earnest
    answer    text_class, bits: alone; items, the likest first: other, its place among the others; shared: the share of
              the text's shingles that it has; bits: behind it
    """
    from lithify.codecs.text.costs import weigh as weighed
    from lithify.codecs.text.likeness import Sketch, bits_behind

    kernels.require(by_id(CODEC))
    text, *others = call.attached
    alone = weighed(text)
    sketch = Sketch(text)
    shared = [sketch.shared(other) for other in others]
    items = []
    for at in sorted(range(len(others)), key=lambda at: -shared[at])[: call.args["measured"]]:
        call.progress(at)
        items.append({"other": at, "shared": shared[at], "bits": bits_behind(text, others[at], alone.text_class)})
    items.sort(key=lambda item: item["bits"])
    return Reply({"text_class": alone.text_class.name.lower(), "bits": alone.bits, "items": items})


def prove_model(call: Call) -> Reply:
    """Whether this machine reckons with a language model as every other does.

    fds      the model file
    args     models: its SHA-256
    answer   digest, proof, seconds

    Raises Unsound when it does not, and what a wrong file raises.
    """
    from lithify.codecs.text.lm.codec import TextLm
    from lithify.codecs.text.lm.model import read_model
    from lithify.codecs.text.lm.proof import prove as prove_language_model

    kernels.require(TextLm)
    started = time.perf_counter()
    (digest,) = call.args["models"]
    data = checked_model(digest, at_hand((), {digest: mapped(call.fds[0])}))
    proof = prove_language_model(read_model(data)).proof
    return Reply({"digest": digest, "proof": proof.hex(), "seconds": time.perf_counter() - started})


def prove(call: Call) -> Reply:
    """Whether a model is that of this release, and this machine makes of it what every other does.

    attached  the file of the model
    args      role, digest, streams: what they must be (codecs/text/models.py)
    answer    digest: of its content; streams: of what it makes of the text of proof.py; seconds

    Raises Unsound when either is not so.
    """
    from lithify.codecs.text import learnt, network, proof

    kernels.require(by_id(CODEC))
    (packed,), digest, streams = call.attached, call.args["digest"], call.args["streams"]
    started = time.perf_counter()
    if call.args["role"] == "network":
        found = proof.prove_network(network.shipped(packed, digest), streams).digest
    else:
        found = proof.prove(learnt.shipped(packed, digest), streams).digest
    return Reply({"digest": found.hex(), "streams": streams, "seconds": time.perf_counter() - started})
