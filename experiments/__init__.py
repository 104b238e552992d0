"""What is done with models: data, training, searches, comparisons, tables, reports, the command line."""
