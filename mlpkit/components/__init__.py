"""What a plugin implements: one base class per kind of component, and the hook that registers them."""
