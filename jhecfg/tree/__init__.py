"""Tree: the output folder `out/<site>/`: compare it with what was compiled, write it, show the difference.

jhecfg owns exactly the files that `out/<site>/jhecfg.lock` lists. Everything else there is a stranger: seen, said,
never touched. The modules, from the ground up:

- `names`: which paths may be written at all
- `folder`: reach files below `out/` without following a symbolic link
- `lock`: the texts of the lock and of the journal
- `compare`: what differs, and what is in the way
- `turn`: one build of a site at a time
- `write`: the protocol that survives a kill at any step
- `diff`: a comparison as a unified diff
"""

from __future__ import annotations

from jhecfg.tree.compare import Change, Comparison, compare
from jhecfg.tree.diff import unified_diff
from jhecfg.tree.lock import LOCK, digest, lock_text
from jhecfg.tree.write import write

__all__ = ["LOCK", "Change", "Comparison", "compare", "digest", "lock_text", "unified_diff", "write"]
