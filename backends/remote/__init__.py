"""Servers elsewhere: what is sent to them, what comes back, and what goes wrong on the way."""
