"""The page's views, one function each."""
