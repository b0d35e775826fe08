"""What a plugin implements: one protocol a kind of component, and the hook that provides them."""
