"""The baseline: the same users with and without the sparse store, and what that costs."""
