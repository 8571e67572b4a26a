"""How charts look: colours, symbols, axes, titles. Knows nothing of what is measured."""
