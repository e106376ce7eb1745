"""Bech32: the checked text form of age's keys (BIP 173, without its limit of 90 characters, as age has it)."""

from __future__ import annotations

from collections.abc import Iterable

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6  # characters


def decode(text: str, prefix: str) -> bytes | None:
    """Return the bytes that a lower-case text holds, or None where it has another prefix or was mistyped."""
    head, _, tail = text.rpartition("1")
    if head != prefix or len(tail) < _CHECKSUM or any(letter not in _ALPHABET for letter in tail):
        return None
    values = [_ALPHABET.index(letter) for letter in tail]
    if _checksum([*_expanded(prefix), *values]) != 1:
        return None
    return _octets(values[:-_CHECKSUM])


def encode(data: bytes, prefix: str) -> str:
    """Return bytes as text that `decode` reads."""
    values = _quintets(data)
    rest = _checksum([*_expanded(prefix), *values, *[0] * _CHECKSUM]) ^ 1
    values += [rest >> 5 * (_CHECKSUM - 1 - place) & 31 for place in range(_CHECKSUM)]
    return f"{prefix}1" + "".join(_ALPHABET[value] for value in values)


def _expanded(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _checksum(values: Iterable[int]) -> int:
    rest = 1
    for value in values:
        top = rest >> 25
        rest = (rest & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            rest ^= generator if top >> place & 1 else 0
    return rest


def _quintets(data: bytes) -> list[int]:
    bits = "".join(f"{octet:08b}" for octet in data)
    bits += "0" * (-len(bits) % 5)
    return [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]


def _octets(values: Iterable[int]) -> bytes | None:
    bits = "".join(f"{value:05b}" for value in values)
    whole = len(bits) // 8 * 8
    if len(bits) - whole > 4 or "1" in bits[whole:]:
        return None
    return bytes(int(bits[at : at + 8], 2) for at in range(0, whole, 8))
