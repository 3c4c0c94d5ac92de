"""The pool: what the encoder's walk says of each slot, the decoder's walk finds again."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lithify.codecs.logs import pool
from lithify.codecs.logs.cluster import cluster
from lithify.codecs.logs.decode import Block
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.scan import ADDRESS, GROUP, MIXED, NUMBER, TIME, WORD, scan
from lithify.codecs.logs.slots import fill
from lithify.codecs.logs.streams import Packed
from tests.unit.codecs.logs.blocks import decoded, encoded
from tests.unit.codecs.logs.corpus import EXAMPLES, MAKERS, log, mixture


@pytest.mark.parametrize("name", [*MAKERS, "mixture"])
def test_equal_values_and_only_they_have_one_number(name: str) -> None:
    data = mixture(600) if name == "mixture" else log(name, 300)
    block = np.frombuffer(data, np.uint8)
    found = scan(block)
    clusters = cluster(found)
    slots = fill(block, found, clusters)
    kinds = pool.classes(slots.kind)
    numbers, count = pool.number_values(
        clusters.line_template, slots.template_column, slots.at, kinds, clusters.counts, slots.hash
    )
    column = np.repeat(np.arange(len(kinds)), np.diff(slots.at))
    known: dict[tuple[int, bytes], int] = {}
    for slot, number in enumerate(numbers.tolist()):
        kind = int(kinds[column[slot]])
        assert (number < 0) == (kind == pool.UNPOOLED)
        if number >= 0:
            text = data[slots.start[slot] : slots.start[slot] + slots.length[slot]]
            assert number == known.setdefault((kind, text), number)
    assert count == len(known) == len(set(known.values()))


def block_of(values: list[int], shapes: list[int]) -> bytes:
    """Lines of several shapes whose slots share values."""
    forms = (b"a <%s> b %s\n", b"c %s\n", b"d %s.%s-%s %s\n", b"e\n")
    counts = (2, 1, 4, 0)
    out, at = [], 0
    for shape in shapes:
        mine = tuple(b"x%dy" % values[(at + k) % len(values)] for k in range(counts[shape]))
        at += counts[shape]
        out.append(forms[shape] % mine)
    return b"".join(out)


@given(
    st.lists(st.integers(0, 6) | st.integers(0, 2000), min_size=1, max_size=700),
    st.lists(st.integers(0, 3), min_size=1, max_size=600),
)
@settings(max_examples=EXAMPLES, deadline=None)
@example(list(range(700)), [2] * 400)
@example([*range(500), *range(500)], [1] * 1000)
@example([*range(240), *range(240), *range(241), *range(241)], [1] * 962)
@example([n * n % 997 for n in range(2000)], [n % 4 for n in range(2000)])
def test_the_two_walks_agree(values: list[int], shapes: list[int]) -> None:
    data = block_of(values, shapes)

    assert data == decoded(encoded(data), len(data))


def test_a_value_that_comes_back_from_far_away_is_not_written_again() -> None:
    ids = [f"7{n * 2654435761 % 2**32:08x}z" for n in range(3000)]
    data = "".join(f"id {name} settled\n" for name in ids * 2).encode()
    payload = encoded(data)
    layout = Layout(Packed(payload, 0, len(data)), len(data))

    assert data == decoded(payload, len(data))
    assert len(ids) == int(layout.coded.new.sum()) == len(Block(layout).literals.at) - 1


def test_kinds_that_share_a_ring_are_those_that_stand_for_the_same_things() -> None:
    kinds = np.array([WORD, ADDRESS, MIXED, NUMBER, ADDRESS, MIXED, GROUP, TIME], np.uint8)
    found = pool.rings(kinds, np.arange(len(kinds), dtype=np.int32)).tolist()

    assert (found[1], found[2]) == (found[4], found[5])
    assert len(kinds) - 2 == len(set(found))
    assert pool.UNPOOLED == pool.classes(kinds)[-1]
    assert pool.UNPOOLED not in pool.classes(kinds)[:-1]
