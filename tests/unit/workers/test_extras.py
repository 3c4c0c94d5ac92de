"""Extras: a missing one is named in a sentence that says what to do."""

from lithify.workers.extras import missing_extras


def test_an_installed_extra_is_not_missing() -> None:
    assert missing_extras(()) is None
    assert missing_extras(("dev",)) is None


def test_a_missing_extra_is_named_with_the_command_that_installs_it() -> None:
    found = missing_extras(("dev", "granite", "slate"))
    assert "it needs the extra granite, slate: pip install 'lithify[granite,slate]'" == found
