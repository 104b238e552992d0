"""Training speed, beside other libraries that train the same shape."""
