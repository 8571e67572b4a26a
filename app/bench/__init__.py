"""Measuring: figures, records, prices, the store, the scheduler, jobs, comparisons, benchmarks.

Knows nothing of Streamlit and nothing of torch.
"""
