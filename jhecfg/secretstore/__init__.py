"""The site's secret values, on the operator's machine: made, kept, checked, sealed, sent. Never in `out/`."""
