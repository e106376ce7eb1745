"""The models of JHE that the bootstrap script touches."""
