"""The store: every run and conversation, by visitor, in SQLite (or PostgreSQL).

Knows how values are kept and who may read them; knows nothing of pages, engines or figures' words.

    store = Store.open(get_settings())
    store.save_run(record)                      # committed when it returns, else NotRecorded
    store.runs(RunFilter(visitor="local", comparable_only=True))
"""

from app.bench.store.facade import Store
from app.bench.store.values import ConversationSummary, ExperimentSummary, RunFilter, RunSummary

__all__ = ["ConversationSummary", "ExperimentSummary", "RunFilter", "RunSummary", "Store"]
