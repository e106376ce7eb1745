"""Faults: whole commands of jhecfg, broken at every system call and in every way that a machine breaks.

- `trace`: run a command in a forked child, stop it at each system call that touches its files, and break it there
- `place`: a repository to break things in: specs, outputs, secrets, files of others; what it held before and after
- `sweep`: each command, at each step, with each fault; what was left, and what the next command made of it
- `world`: faults that a real system brings: full, read-only and folding file systems, another user, races, links
- `table`: counts, and the cases that went wrong

`make faults` runs all of it; `tests/test_faults.py` a part that takes seconds.
"""
