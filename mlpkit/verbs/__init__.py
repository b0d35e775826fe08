"""What people can do with mlpkit, a folder each; none imports another."""
