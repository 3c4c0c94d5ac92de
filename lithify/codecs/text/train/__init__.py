"""How learnt.bin is made of texts: `python -m lithify.codecs.text.train`. MODEL.md is the recipe; no codec needs it."""
