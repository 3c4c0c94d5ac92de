"""Recipes that streams have in common: whoever wrote a document wrote its short streams alike.

A document has hundreds of streams of some hundred bytes; their recipes of two bytes would be among the dearest things
that are told of them. Both directions keep the last recipes, the latest first, and a repeated one is told by its rank.
"""

from lithify.errors import Corrupt

NEW = 0
"""The rank of a recipe that is told in full."""
_KEPT, _BYTES_MAX = 64, 64
"""How many are kept, of up to how many bytes: longer ones are not repeated."""


class Recalled:
    """The recipes that can be repeated now."""

    def __init__(self) -> None:
        self._latest: list[bytes] = []

    def rank(self, recipe: bytes) -> int:
        """How `recipe` is told: 1 is the one used last; NEW. From then on it is the one used last."""
        rank = self._latest.index(recipe) + 1 if recipe in self._latest else NEW
        self._use(recipe, rank)
        return rank

    def recipe(self, rank: int) -> bytes:
        """The recipe of a rank that is not NEW. Raises Corrupt if there is none."""
        if not 0 < rank <= len(self._latest):
            raise Corrupt(f"a stream repeats recipe {rank} of {len(self._latest)}")
        recipe = self._latest[rank - 1]
        self._use(recipe, rank)
        return recipe

    def keep(self, recipe: bytes) -> None:
        """A recipe was told in full."""
        self._use(recipe, NEW)

    def _use(self, recipe: bytes, rank: int) -> None:
        if rank != NEW:
            del self._latest[rank - 1]
        if len(recipe) <= _BYTES_MAX:
            self._latest.insert(0, recipe)
            del self._latest[_KEPT:]
