"""`python -m backends.host`: started by `backends.host.client`, not by hand."""

import os

from backends.host.server import main

# Left alone, CUDA may number the fastest GPU first; the driver, which is asked for names and for
# energy, goes by the bus.
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
main()
