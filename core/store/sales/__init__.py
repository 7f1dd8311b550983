"""Sales data: versions, uploads, drafts, presets and address answers."""
