"""How a model behaves beyond one test: overfitting, effects of facts, size against accuracy, months ahead."""
