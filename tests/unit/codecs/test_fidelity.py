"""Contracts: one spelling each, nothing meaningless, and which fidelity keeps which promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithify.codecs.fidelity import CONTENT, EXACT, METRICS, Contract
from lithify.errors import BadArgument

SPELLINGS = {
    "exact": EXACT,
    "content": CONTENT,
    "bounded:abs=0.01": Contract("bounded", "abs", 0.01),
    "bounded:abs=250": Contract("bounded", "abs", 250.0),
    "bounded:rel=0.001": Contract("bounded", "rel", 0.001),
    "bounded:pwrel=1e-06": Contract("bounded", "pwrel", 1e-6),
    "floor:psnr=60": Contract("floor", "psnr", 60.0),
    "floor:ssim=0.98": Contract("floor", "ssim", 0.98),
    "floor:vmaf=95": Contract("floor", "vmaf", 95.0),
}


@pytest.mark.parametrize(("spelling", "contract"), SPELLINGS.items())
def test_a_contract_is_read_and_written_in_one_spelling(spelling: str, contract: Contract) -> None:
    assert contract == Contract.parse(spelling)
    assert spelling == str(contract)


@pytest.mark.parametrize("spelling", ["bounded:abs=1e-2", "bounded:abs=0.010", "bounded:abs=1E-2".lower()])
def test_other_ways_to_write_a_number_mean_the_same(spelling: str) -> None:
    assert Contract("bounded", "abs", 0.01) == Contract.parse(spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "Exact",
        "exact ",
        "exact:",
        "exact:abs=1",
        "content:psnr=1",
        "lossy",
        "bounded",
        "bounded:",
        "bounded:abs",
        "bounded:abs=",
        "bounded:abs=x",
        "bounded:abs=-1",
        "bounded:abs=0",
        "bounded:abs=nan",
        "bounded:abs=inf",
        "bounded:abs=1e999",
        "bounded:abs=1_000",
        "bounded:abs= 1",
        "bounded:abs=1=2",
        "bounded:abs=\u0661",
        "bounded:psnr=60",
        "bounded:rel=1.5",
        "floor:abs=1",
        "floor:psnr=201",
        "floor:ssim=1.01",
        "floor:vmaf=101",
        "floor:psnr=60dB",
    ],
)
def test_what_means_nothing_is_refused_with_a_sentence(spelling: str) -> None:
    with pytest.raises(BadArgument, match=r"contract|must be"):
        Contract.parse(spelling)


def test_the_refusal_says_what_would_have_been_right() -> None:
    with pytest.raises(BadArgument, match=r"floor:psnr=VALUE, floor:ssim=VALUE, floor:vmaf=VALUE"):
        Contract.parse("floor:abs=1")
    with pytest.raises(BadArgument, match=r"needs a metric and a value: .*; found 'psmr'"):
        Contract.parse("floor:psmr=60")
    with pytest.raises(BadArgument, match=r"behind ; comes VARIABLE=CONTRACT, found ''"):
        Contract.parse("bounded:rel=0.001;rain=exact;")
    with pytest.raises(BadArgument, match=r"behind ; comes VARIABLE=CONTRACT, found 'rain'"):
        Contract.parse("bounded:rel=0.001;rain")
    with pytest.raises(BadArgument, match=r"'höhe' cannot be named: .* letters of ASCII"):
        Contract.parse("bounded:rel=0.001;höhe=exact")
    with pytest.raises(BadArgument, match=r"larger than 0 and at most 1, found 1\.5"):
        Contract.parse("bounded:rel=1.5")


@pytest.mark.parametrize("contract", SPELLINGS.values(), ids=SPELLINGS)
def test_exact_keeps_every_contract_and_content_all_but_exact(contract: Contract) -> None:
    assert contract.satisfied_by(EXACT)
    assert contract.satisfied_by(CONTENT) == (contract != EXACT)
    assert contract.satisfied_by(contract)


def test_a_bound_is_kept_by_a_smaller_one_and_a_floor_by_a_higher_one() -> None:
    assert Contract.parse("bounded:abs=0.01").satisfied_by(Contract.parse("bounded:abs=0.009"))
    assert not Contract.parse("bounded:abs=0.01").satisfied_by(Contract.parse("bounded:abs=0.011"))
    assert Contract.parse("floor:psnr=60").satisfied_by(Contract.parse("floor:psnr=61"))
    assert not Contract.parse("floor:psnr=60").satisfied_by(Contract.parse("floor:psnr=59"))


@pytest.mark.parametrize("fidelity", list(SPELLINGS.values())[1:], ids=list(SPELLINGS)[1:])
def test_nothing_looser_keeps_exact(fidelity: Contract) -> None:
    assert not EXACT.satisfied_by(fidelity)


def test_metrics_are_not_compared_with_each_other() -> None:
    assert not Contract.parse("bounded:abs=100").satisfied_by(Contract.parse("bounded:rel=0.0001"))
    assert not Contract.parse("floor:ssim=0.1").satisfied_by(Contract.parse("floor:psnr=100"))
    assert not CONTENT.satisfied_by(Contract.parse("floor:psnr=200"))


@given(st.data())
def test_every_contract_that_can_exist_comes_back_from_its_spelling(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["bounded", "floor"]))
    metric = data.draw(st.sampled_from(sorted(METRICS[kind])))
    value = data.draw(st.floats(min_value=5e-324, max_value=min(METRICS[kind][metric], 1e300)))
    contract = Contract(kind, metric, value)  # type: ignore[arg-type]

    assert contract == Contract.parse(str(contract))
    assert len(str(contract)) <= 64


@given(st.text())
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    try:
        contract = Contract.parse(text)
    except BadArgument:
        return
    assert contract == Contract.parse(str(contract))


def test_a_bounded_contract_may_make_exceptions_for_variables() -> None:
    text = "bounded:rel=0.001;count=bounded:abs=2;rain=exact"
    contract = Contract.parse("bounded:rel=0.001;rain=exact;count=bounded:abs=2.0")
    assert text == str(contract)
    assert contract == Contract.parse(text)
    assert EXACT == contract.of_variable("rain")
    assert Contract.parse("bounded:abs=2") == contract.of_variable("count")
    assert Contract.parse("bounded:rel=0.001") == contract.of_variable("t2m")


def test_a_floor_may_make_exceptions_too_and_be_one() -> None:
    text = "floor:psnr=50;rain=exact;snow=floor:ssim=0.9;wind=bounded:abs=0.1"
    contract = Contract.parse(text)
    assert text == str(contract)
    assert Contract.parse("floor:psnr=50") == contract.of_variable("t2m")
    assert Contract.parse("floor:ssim=0.9") == contract.of_variable("snow")
    assert Contract.parse("floor:psnr=40") == Contract.parse("bounded:rel=0.1;t2m=floor:psnr=40").of_variable("t2m")
    assert contract.satisfied_by(Contract.parse(text.replace("50", "60")))
    assert not contract.satisfied_by(Contract.parse("floor:psnr=60"))


def test_contracts_with_exceptions_are_kept_by_the_same_exceptions_or_by_all_values() -> None:
    contract = Contract.parse("bounded:rel=0.001;rain=exact")
    assert contract.satisfied_by(EXACT)
    assert contract.satisfied_by(contract)
    assert contract.satisfied_by(Contract.parse("bounded:rel=0.0001;rain=exact"))
    assert not contract.satisfied_by(Contract.parse("bounded:rel=0.001"))
    assert not Contract.parse("bounded:rel=0.001").satisfied_by(contract)


@pytest.mark.parametrize(
    "wrong",
    [
        "exact;rain=exact",
        "content;rain=exact",
        "floor:vmaf=60;rain=exact",
        "bounded:abs=1;rain=floor:vmaf=60",
        "bounded:abs=1;rain",
        "bounded:abs=1;rain=content",
        "bounded:abs=1;=exact",
        "bounded:abs=1;a b=exact",
        "bounded:abs=1;rain=exact;rain=exact",
        "bounded:abs=1;" + ";".join(f"v{number}=exact" for number in range(40)),
        "bounded:abs=1;rain=exact;",
    ],
)
def test_exceptions_that_mean_nothing_are_refused(wrong: str) -> None:
    with pytest.raises(BadArgument):
        Contract.parse(wrong)
