"""The perfect store keeps the promises it is the model of."""

import io

import pytest

from lithify.store.blobs import Blobs
from lithify.store.blobs_memory import MemoryBlobs
from tests.suites.blobs_suite import BlobsSuite, appended, staged


class TestMemoryBlobs(BlobsSuite):
    """The suite, in memory."""

    @pytest.fixture
    def blobs(self) -> Blobs:
        return MemoryBlobs()

    def test_its_readers_have_no_descriptor(self, blobs: Blobs) -> None:
        for address in (staged(blobs, b"own"), *appended(blobs, b"packed")):
            with blobs.open(address) as source, pytest.raises(io.UnsupportedOperation):
                source.fileno()
