"""Forms: what a sealed file may hold, field by field, and nothing else; so that no value is left in the clear.

A SealedSecret as `kubeseal` and `jhecfg secrets seal` write it (bitnami-labs/sealed-secrets 0.36, pkg/apis), and a
Secret as sops writes it (getsops/sops 3.13, stores/stores.go, aes/cipher.go).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.leaks import mask_line
from jhecfg.marks import shown
from jhecfg.reader import Document

Problem = tuple[str, Loc, str]
"""(code, place, message); the code is `unsealed-secret` or `sealed-form`."""

ENCRYPTED_REGEX = "^(data|stringData)$"
"""What sops encrypts of a Secret, as Flux asks for (kustomize-controller, docs/spec/v1/kustomizations.md)."""

_SCOPES = ("sealedsecrets.bitnami.com/cluster-wide", "sealedsecrets.bitnami.com/namespace-wide")
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_ENC = re.compile(r"ENC\[AES256_GCM,data:([^,\]]+),iv:([^,\]]+),tag:([^,\]]+),type:str\]")
_IV, _TAG = 32, 16  # bytes
_AGE = re.compile(r"-----BEGIN AGE ENCRYPTED FILE-----\n[A-Za-z0-9+/=\n]+-----END AGE ENCRYPTED FILE-----\n?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_OTHER_KEYS = ("kms", "gcp_kms", "azure_kv", "hc_vault", "hckms", "pgp", "key_groups")
_READABLE = re.compile(rb"[\t\n\r -~]{16,}")
_RSA = (256, 384, 512, 1024)  # bytes of what RSA encrypts: keys of 2048 to 8192 bits


def problems(document: Document, backend: str, namespace: str, name: str) -> list[Problem]:
    """Return what is wrong with the encrypted form of one Secret; what is not encrypted at all comes alone."""
    tree = document.tree
    bare = [*_comments(document), *(_bare_sealed(tree) if backend == "sealed-secrets" else _bare_sops(tree))]
    if bare:
        return bare
    form = _sealed_secret(tree, namespace, name) if backend == "sealed-secrets" else _sops_secret(tree, namespace, name)
    return list(form)


# --- what is not encrypted --------------------------------------------------------------------------------------------


def _comments(document: Document) -> Iterator[Problem]:
    for comment in document.comments:
        if mask_line(comment.text) != comment.text:
            yield "unsealed-secret", (), f"the comment in line {comment.line} holds a secret; not shown"


def _bare_sealed(tree: Mapping[str, Any]) -> Iterator[Problem]:
    """Find values of a SealedSecret, or of a Secret in its place, that anybody can read."""
    if tree.get("kind") == "Secret":
        if is_encrypted_secret(tree):
            yield "sealed-form", ("kind",), "this Secret is encrypted with sops, and the backend is sealed-secrets"
        else:
            yield "unsealed-secret", ("kind",), "this Secret is not sealed; its values are not shown"
        return
    spec = _mapping(tree.get("spec"))
    template = _mapping(spec.get("template"))
    for loc, holder in ((("spec",), spec), (("spec", "template"), template), ((), tree)):
        for field in ("data", "stringData"):
            if holder.get(field):
                yield "unsealed-secret", (*loc, field), "these values are not sealed; they are not shown"
    for key, value in _mapping(spec.get("encryptedData")).items():
        if not is_sealed(value):
            yield "unsealed-secret", ("spec", "encryptedData", key), f"the value under {_named(key)} is not sealed"


def _bare_sops(tree: Mapping[str, Any]) -> Iterator[Problem]:
    """Find values of a Secret that sops did not encrypt."""
    if tree.get("kind") == "Secret" and not _mapping(tree.get("sops")):
        yield "unsealed-secret", ("kind",), "this Secret is not encrypted; its values are not shown"
        return
    for field in ("data", "stringData"):
        for key, value in _mapping(tree.get(field)).items():
            if not is_encrypted(value):
                yield "unsealed-secret", (field, key), f"the value under {_named(key)} is not encrypted"


def is_sealed(value: object) -> bool:
    """Say whether a value has the form of sealed-secrets: the length of RSA's part, that part, AES-GCM's part."""
    raw = _decoded(value)
    if raw is None or len(raw) < 2:
        return False
    size = int.from_bytes(raw[:2], "big")
    return size in _RSA and len(raw) > 2 + size + _TAG and not _READABLE.fullmatch(raw[2 + size :])


def is_encrypted(value: object) -> bool:
    """Say whether a value has the form of sops: a text that AES-GCM encrypted."""
    match = _ENC.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    data, iv, tag = (_decoded(part) for part in match.groups())
    whole = data is not None and iv is not None and tag is not None
    return whole and len(iv or b"") == _IV and len(tag or b"") == _TAG and not _READABLE.fullmatch(data or b"")


def is_encrypted_secret(tree: Mapping[str, Any]) -> bool:
    """Say whether an object is a Secret all of whose values sops encrypted, for age's recipients, under a MAC."""
    values = [value for field in ("data", "stringData") for value in _mapping(tree.get(field)).values()]
    sops = _mapping(tree.get("sops"))
    return is_encrypted(sops.get("mac")) and bool(sops.get("age")) and bool(values) and all(map(is_encrypted, values))


def _decoded(value: object) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None


# --- the form ---------------------------------------------------------------------------------------------------------


def _sealed_secret(tree: Mapping[str, Any], namespace: str, name: str) -> Iterator[Problem]:
    yield from _is(tree, "apiVersion", "bitnami.com/v1alpha1")
    yield from _is(tree, "kind", "SealedSecret")
    yield from _only(tree, (), "apiVersion", "kind", "metadata", "spec")
    yield from _metadata(tree, (), namespace, name)
    spec = _mapping(tree.get("spec"))
    yield from _only(spec, ("spec",), "encryptedData", "template")
    yield from _keys(_mapping(spec.get("encryptedData")), ("spec", "encryptedData"))
    if not isinstance(spec.get("template", {}), dict):
        yield "sealed-form", ("spec", "template"), "template holds no fields"
    template = _mapping(spec.get("template"))
    yield from _only(template, ("spec", "template"), "metadata", "type")
    if "metadata" in template:
        yield from _metadata(template, ("spec", "template"), namespace, name)
    yield from _opaque(template, ("spec", "template"))


def _sops_secret(tree: Mapping[str, Any], namespace: str, name: str) -> Iterator[Problem]:
    yield from _is(tree, "apiVersion", "v1")
    yield from _is(tree, "kind", "Secret")
    field = "data" if "data" in tree else "stringData"
    yield from _only(tree, (), "apiVersion", "kind", "metadata", "type", field, "sops")
    yield from _metadata(tree, (), namespace, name)
    yield from _opaque(tree, ())
    yield from _keys(_mapping(tree.get(field)), (field,))
    yield from _envelope(_mapping(tree.get("sops")))


def _envelope(sops: Mapping[str, Any]) -> Iterator[Problem]:
    """Judge what sops wrote beside the values: age's recipients, and a MAC over what is encrypted."""
    known = ("age", "lastmodified", "mac", "mac_only_encrypted", "encrypted_regex", "version", *_OTHER_KEYS)
    yield from _only(sops, ("sops",), *known)
    for other in _OTHER_KEYS:  # older versions of sops write them, empty
        if sops.get(other):
            yield "sealed-form", ("sops", other), f"{other} can decrypt it too; only the recipients of the spec may"
    if not is_encrypted(sops.get("mac")):
        yield "sealed-form", ("sops", "mac"), "there is no MAC, so nobody would notice a change"
    yield from _is(sops, "encrypted_regex", ENCRYPTED_REGEX, ("sops",))
    if sops.get("mac_only_encrypted") is not True:
        yield "sealed-form", ("sops", "mac_only_encrypted"), "mac_only_encrypted is not true: jhecfg adds labels"
    for field, form in (("lastmodified", _TIME), ("version", _VERSION)):
        value = sops.get(field)
        if not isinstance(value, str) or not form.fullmatch(value):
            yield "sealed-form", ("sops", field), f"{field} is not as sops writes it"
    yield from _age(sops.get("age"))


def _age(recipients: object) -> Iterator[Problem]:
    entries = recipients if isinstance(recipients, list) and recipients else [None]
    for index, entry in enumerate(entries):
        held = _mapping(entry)
        texts = held.keys() == {"recipient", "enc"} and all(isinstance(text, str) for text in held.values())
        if not texts or not _AGE.fullmatch(held["enc"]):
            yield "sealed-form", ("sops", "age", index), "the data key is not encrypted to an age recipient"


def _is(holder: Mapping[str, Any], field: str, wanted: str, loc: Loc = ()) -> Iterator[Problem]:
    if holder.get(field) != wanted:
        yield "sealed-form", (*loc, field), f"{field} is not {wanted}"


def _only(holder: Mapping[str, Any], loc: Loc, *fields: str) -> Iterator[Problem]:
    """Refuse every other field: jhecfg writes what else the object needs, and a stray one may hold a secret."""
    for field in holder:
        if field not in fields:
            yield "sealed-form", (*loc, field), f"there is no place for {_named(field)} here"


def _metadata(holder: Mapping[str, Any], loc: Loc, namespace: str, name: str) -> Iterator[Problem]:
    metadata = _mapping(holder.get("metadata"))
    place = (*loc, "metadata")
    for field, wanted in (("name", name), ("namespace", namespace)):
        if metadata.get(field) != wanted:
            yield "sealed-form", (*place, field), f"the {field} is not that of the file: {shown(wanted) or 'another'}"
    if any(scope in _mapping(metadata.get("annotations")) for scope in _SCOPES):
        # The value would also open under another name, where others may read it.
        yield "sealed-form", (*place, "annotations"), "the scope is not strict"
    else:
        yield from _only(metadata, place, "name", "namespace", _CREATED)
    if metadata.get(_CREATED) is not None:
        yield "sealed-form", (*place, _CREATED), f"{_CREATED} is not null"


_CREATED = "creationTimestamp"  # kubectl and kubeseal write it, as null


def _opaque(holder: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    if holder.get("type", "Opaque") != "Opaque":
        yield "sealed-form", (*loc, "type"), "the type is not Opaque"


def _keys(values: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    if not values:
        yield "sealed-form", loc, "it holds no values"
    for key in values:
        if not _KEY.fullmatch(key):
            yield "sealed-form", (*loc, key), "a key of a Secret is made of letters, digits, '-', '_' and '.'"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _named(key: str) -> str:
    return (_KEY.fullmatch(key) and shown(key)) or "this key"
