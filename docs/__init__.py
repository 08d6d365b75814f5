"""The documentation: pages, and what makes the rest of them out of the tables of the code."""
