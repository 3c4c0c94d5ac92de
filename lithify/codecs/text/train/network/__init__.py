"""How network.bin is trained: `python -m lithify.codecs.text.train.network`. Needs torch; no codec needs this."""
