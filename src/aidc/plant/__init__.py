"""The physics: scalar functions `step(state, inputs, params) -> state`, each with its source."""
