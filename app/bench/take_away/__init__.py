"""A setup as something to run without this app: Python code, commands that start a server."""

from app.bench.take_away.code import Code
from app.bench.take_away.commands import commands_for
from app.bench.take_away.python_code import python_code

__all__ = ["Code", "commands_for", "python_code"]
