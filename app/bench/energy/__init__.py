"""Joules, where the hardware counts them."""
