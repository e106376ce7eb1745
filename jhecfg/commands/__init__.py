"""The commands: a module each, with what it does with its words; each returns the exit code. `cli/` declares them."""
