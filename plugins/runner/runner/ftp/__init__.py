"""Files behind the FTP component: `runner serve ftp`."""
