"""The model card as a document and as HTML."""
