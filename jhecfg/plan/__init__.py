"""plan: what the change from one compiled spec to another means for the people and the machines of a site."""
