"""A space as a table: which points are valid, and what each costs, a hundred thousand in seconds."""
