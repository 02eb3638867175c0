"""``witgen lint``: what is valid in WIT, and is regretted later. Rules by id, in categories."""
