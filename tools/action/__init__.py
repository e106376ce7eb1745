"""What the steps of action.yml do, with Python's own library and the jhecfg beside them."""
