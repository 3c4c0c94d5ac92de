"""Templates: lines of one shape share one, what varies in it becomes slots, and cost is bounded."""

import numpy as np
import pytest

from lithify.codecs.logs.cluster import SLOTS_MAX, TEMPLATES_MAX, Clusters, cluster, factorize
from lithify.codecs.logs.scan import GROUP, NUMBER, TIME, WORD, Scan, scan
from lithify.codecs.logs.slots import Slots, fill, first_tokens
from tests.unit.codecs.logs.corpus import MAKERS, log, mixture


def clustered(data: bytes) -> tuple[Scan, Clusters]:
    found = scan(np.frombuffer(data, np.uint8))
    return found, cluster(found)


def filled(data: bytes) -> tuple[Clusters, Slots]:
    found, clusters = clustered(data)
    return clusters, fill(np.frombuffer(data, np.uint8), found, clusters)


def texts(data: bytes, slots: Slots, column: int) -> list[bytes]:
    """The values of a column, in the order of its lines."""
    first, end = int(slots.at[column]), int(slots.at[column + 1])
    each = zip(slots.start[first:end].tolist(), slots.length[first:end].tolist(), strict=True)
    return [data[start : start + length] for start, length in each]


def test_lines_of_one_shape_share_a_template_and_differ_in_its_slots() -> None:
    data = b"".join(b"took %d ms from 10.0.0.%d at 10:00:%02d\n" % (n * n, n % 250, n % 60) for n in range(100))
    clusters, slots = filled(data)

    assert [0] * 100 == clusters.line_template.tolist()
    assert [NUMBER, TIME] == [slots.kind[0], slots.kind[2]]
    assert [b"%d" % (n * n) for n in range(100)] == texts(data, slots, 0)
    assert [n * n for n in range(100)] == slots.value[slots.at[0] : slots.at[1]].tolist()


def test_a_word_that_hardly_varies_is_part_of_the_template() -> None:
    data = b"".join(b"link %s after %d s\n" % ((b"up", b"down")[n % 2], n) for n in range(400))
    clusters, slots = filled(data)

    assert {0, 1} == set(clusters.line_template.tolist())
    assert clusters.line_template[0] != clusters.line_template[1]
    assert {NUMBER} == set(slots.kind.tolist())


def test_a_word_that_varies_much_becomes_a_slot() -> None:
    words = ["".join("abcdefghij"[int(c)] for c in f"{n:03}") for n in range(600)]
    data = "".join(f"user {word} left\n" for word in words).encode()
    clusters, slots = filled(data)

    assert {0} == set(clusters.line_template.tolist())
    assert [WORD] == slots.kind.tolist()
    assert [word.encode() for word in words] == texts(data, slots, 0)


def test_a_group_is_opened_where_its_inside_has_few_shapes_and_stays_closed_where_it_has_many() -> None:
    few = b"".join(b'say "n is %d" now\n' % n for n in range(300))
    many = b"".join(b'say "%s" now\n' % (b"+-*/<>|"[n % 7 :] * (n % 5) + b"~" * (n % 43)) for n in range(300))

    assert {NUMBER} == set(filled(few)[1].kind.tolist())
    assert {GROUP} == set(filled(many)[1].kind.tolist())


def test_rare_shapes_stay_out_of_the_templates() -> None:
    clusters = clustered(b"".join(b"common %d\n" % n for n in range(50)) + b"only once: [x]\n")[1]

    assert -1 == clusters.line_template[-1]
    assert {0} == set(clusters.line_template[:-1].tolist())


@pytest.mark.parametrize("name", [*MAKERS, "mixture"])
def test_the_same_bytes_give_the_same_templates(name: str) -> None:
    data = mixture(600) if name == "mixture" else log(name, 300)
    first, second = clustered(data)[1], clustered(bytes(bytearray(data)))[1]

    assert [one.tolist() for one in first] == [other.tolist() for other in second]


@pytest.mark.parametrize("name", [*MAKERS, "mixture"])
def test_what_is_between_the_slots_is_the_same_in_all_lines_of_a_template(name: str) -> None:
    data = mixture(600) if name == "mixture" else log(name, 300)
    clusters, slots = filled(data)
    lines = data.splitlines(keepends=True)
    rows = [0] * len(clusters.counts)
    skeletons: dict[int, bytes] = {}
    at = np.concatenate(([0], np.cumsum([len(line) for line in lines])))
    for number, template in enumerate(clusters.line_template.tolist()):
        if template < 0:
            continue
        left = []
        p = int(at[number])
        for column in range(slots.template_column[template], slots.template_column[template + 1]):
            slot = int(slots.at[column]) + rows[template]
            left.append(data[p : int(slots.start[slot])])
            p = int(slots.start[slot]) + int(slots.length[slot])
        left.append(data[p : int(at[number + 1])])
        rows[template] += 1
        skeleton = b"\0\0".join(left)
        assert skeletons.setdefault(template, skeleton) == skeleton
    assert rows == clusters.counts.tolist()
    assert sum(rows) >= len(lines) * 0.75, "these logs are made of few shapes"


def test_the_number_of_templates_is_bounded() -> None:
    marks = b"!#$%&()*+-.:;<=>?@^`{|}~,'"
    lines = [bytes([marks[n % 26], marks[n // 26 % 26], marks[n // 676 % 26]]) + b" 1\n" for n in range(17_000)]
    clusters = clustered(b"".join(lines * 5))[1]

    assert len(clusters.counts) <= TEMPLATES_MAX
    assert clusters.line_template.max() < TEMPLATES_MAX


@pytest.mark.parametrize("words", [SLOTS_MAX - 1, SLOTS_MAX, SLOTS_MAX + 1, 20_000])
def test_a_line_of_very_many_tokens_is_left_or_taken_whole(words: int) -> None:
    found, clusters = clustered(b"".join(b"%d " % (n % 2) * words + b"\n" for n in range(8)))

    assert (0 if words <= SLOTS_MAX else -1) == clusters.line_template[0]
    for template in range(len(clusters.counts)):
        assert words == len(first_tokens(found, clusters, template))


@pytest.mark.parametrize("count", [0, 1, 100, 5000, 70_000])
def test_equal_keys_get_equal_numbers_in_the_order_they_came(count: int) -> None:
    keys = np.random.default_rng(count).integers(0, max(1, count // 3) + 1, count).astype(np.uint64) << np.uint64(40)
    ids, first, counts = factorize(keys)
    known: dict[int, int] = {}
    expected = [-1 if key == 0 else known.setdefault(key, len(known)) for key in keys.tolist()]

    assert expected == ids.tolist()
    assert [expected.index(number) for number in range(min(len(known), 50))] == first[:50].tolist()
    assert np.array_equal(np.bincount(ids[ids >= 0], minlength=len(known)), counts)
