"""Phase 3, preparation: cleaning with row accounting, imputation, features and splits."""
