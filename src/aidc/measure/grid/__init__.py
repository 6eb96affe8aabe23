"""Grid rules: evaluators of a waveform, each a pure function or a meter that is fed in blocks."""
