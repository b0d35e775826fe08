"""What trains on a table with fixed splits: networks of mlpkit and of others, and trees."""
