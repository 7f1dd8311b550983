"""Phase 2, collection: files, column mapping, address keys, the merge of the sources, and the simulated city."""
