"""Components in registries of the OCI: publishing them, fetching them, signing them."""
