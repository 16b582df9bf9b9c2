"""The workbench: a chart in a browser, its cards, and what would be if a value were another. Nothing is kept."""
