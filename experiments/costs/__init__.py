"""Views of what variants cost, for people and for programs: one file a view, each with a render function."""
