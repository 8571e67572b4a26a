"""The engine host: a clean program that has preloaded the heavy libraries and forks workers.

`python -m backends.host` is the program (`server`), `client` is how the app talks to it. The host
knows nothing of models: a worker is any "module:function" that serves a connection.
"""
