"""Use cases of models: training, test scores, explanations, the gate and retraining."""
