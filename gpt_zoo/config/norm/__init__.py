"""Norms: how the width of an activation is kept in bounds."""
