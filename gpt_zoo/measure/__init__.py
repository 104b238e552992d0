"""What a built model costs, counted and measured: the closed forms of `gpt_zoo.cost` are held against it."""
