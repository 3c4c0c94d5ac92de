"""lithify keeps each thing it is given in the densest form that can be proved to come back.

A catalog routes what comes in to the codec made for it; workers encode, decode again in a second process and
compare, and only then let the plain copy go. The rooms are `codecs` (craft), `store` (cellar), `workers`
(hands) and `api` (doors); README.md draws them.
"""

__version__ = "0.1.0.dev0"
