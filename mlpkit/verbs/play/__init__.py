"""``mlpkit play``: a network on a page, watched and changed while it learns."""
