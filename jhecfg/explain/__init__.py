"""Explain: where a line of the output comes from, what a line of a spec does, what a key may be.

Measured, not annotated:

- `moves`: nudge a leaf of the spec, see which places of which outputs move
- `places`: from a line of a file to a place in it, and back
- `keys`: what the model says about a key
- `text`, `document`: the answers, for people and for programs
"""
