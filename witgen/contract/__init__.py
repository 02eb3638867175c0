"""The contract keeper: canonical form and digests of interfaces and worlds."""
