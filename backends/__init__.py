"""Everything that can run a setup: contracts, registry, catalog, engine pool, and the backends.

Importing it imports neither torch nor streamlit; heavy libraries live in worker processes.
"""
