"""Containers of arrays, one file each: where in a file uncompressed values lie.

A container is read when encoding, and again only to name arrays; decoding needs the places alone, and those are in the
payload. What a container's reader cannot make sense of is no container: its bytes are kept as they are.
"""
