"""How the tables of the families are read: configs and weights, both ways."""
