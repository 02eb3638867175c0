"""witgen: a WIT compiler and contract keeper for Python."""

__version__ = "0.1.0"
