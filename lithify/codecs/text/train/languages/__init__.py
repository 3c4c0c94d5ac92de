"""How languages.bin is made: `python -m lithify.codecs.text.train.languages`. MODEL.md is the recipe."""
