"""The workbench: a chart in a browser, its cards, and what would change if a value were different. Nothing is stored."""
