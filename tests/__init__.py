"""The tests of jhecfg."""
