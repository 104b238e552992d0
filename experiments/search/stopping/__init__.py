"""Whether a training goes on: judged at rungs of its budget, from the learning curves seen so far."""
