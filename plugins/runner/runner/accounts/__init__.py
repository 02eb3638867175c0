"""Who may log in: accounts from a file (`file`), with hashed passwords that are checked (`accounts`)."""
