"""jhecfg: one typed site spec, compiled into everything a JupyterHealth Exchange site is made of."""

__version__ = "0.1.0"
