"""`python -m backends.host`: started by `backends.host.client`, not by hand."""

from backends.host.server import main

main()
