"""What runs elsewhere: in JupyterHub and in the Exchange's image. Embedded as text, the same for every spec."""
