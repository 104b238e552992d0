"""An experiment before any training: how many points are any good, what they cost, how long it takes."""
