"""The local backend: transformers models in worker processes of this machine.

Only `worker/` imports torch and transformers; it runs in workers. The rest talks to them.
"""
