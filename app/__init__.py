"""What people touch: the command line and the page. Composes the rooms below and decides nothing."""
