"""`python -I -m tools.action check|plan|comment`: one step of action.yml, in the environment that a runner gives."""

from __future__ import annotations

import sys

from tools.action import check, comment, plan

STEPS = {"check": check.main, "plan": plan.main, "comment": comment.main}

if __name__ == "__main__":
    sys.exit(STEPS[sys.argv[1]]())
