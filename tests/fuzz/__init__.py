"""Fuzzing: every reader of outside input, and the printers, against bytes that nobody thought of.

A target turns the fuzzer's bytes into a *case*, which is something a person can read (`draw`), and judges it (`judge`).
What was found is kept as a case in `found/<target>/`, so that it means the same when the drawing changes; `make test`
judges all of them again. `make fuzz` runs for long (run.py).
"""
