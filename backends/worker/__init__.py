"""What engines with a process of their own share: the messages, the app's side of a worker, and
the worker's loop. Knows no library of models."""
