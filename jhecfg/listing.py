"""Listing: which names a folder holds, as a digest, so that a file added to it or taken away is noticed."""

from __future__ import annotations

import hashlib
import os

ABSENT = "absent"
"""What stands for the digest of a folder that is not there."""


def names_in(folder: str) -> list[str]:
    """Return the names in a folder, sorted. Raises OSError; FileNotFoundError where there is none."""
    return sorted(os.listdir(folder))


def listing_digest(folder: str) -> str:
    """Return the SHA-256 of a folder's names, or ABSENT. Raises OSError for what cannot be listed."""
    try:
        text = "\n".join(names_in(folder))
    except FileNotFoundError:
        return ABSENT
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
