"""Benchmarks of the app itself: does its measuring and drawing disturb what it measures?

One module a benchmark; each returns `records`. Run them with `python -m app.bench NAME`.
"""
