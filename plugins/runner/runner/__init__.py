"""The Runner: hosts for the components of this repository. `bindings` holds their generated adapters."""
