"""HTTP: applications of Python behind the HTTP component, or behind a server in Python where that is switched off."""
