"""WASI 0.2 for components, by grant: interfaces of the host in Python, on generated adapters."""
