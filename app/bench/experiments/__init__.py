"""Experiments: plans, what they ask, in which order, how the runs are made and what they show.

Everything but `running` and `commands` is pure: values in, values out, for the command line and for
a page alike.
"""
