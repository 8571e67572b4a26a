"""Shared Streamlit parts: navigation, session state, the setup builder, columns, charts, errors."""
