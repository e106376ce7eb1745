"""jhecfg: one typed site spec, compiled into everything a JupyterHealth Exchange site is made of."""

__version__ = "0.1.0"

_API = (
    "Artifact", "Build", "Change", "Comparison", "Diagnostic", "Refused", "Severity", "Span", "SpecError", "ToolError",
    "compare", "compile", "write",
)  # fmt: skip


def __getattr__(name: str) -> object:
    """Give the names of `jhecfg.api`, which is loaded when the first of them is used.

    The command line's quick answers import this package too, and must not pay for it.
    """
    if name not in _API:
        raise AttributeError(f"module 'jhecfg' has no attribute {name!r}")
    from importlib import import_module  # not `from jhecfg import api`: everything below it imports this package

    return getattr(import_module("jhecfg.api"), name)


def __dir__() -> list[str]:
    return ["__version__", *_API]
