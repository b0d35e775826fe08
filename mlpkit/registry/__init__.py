"""Finding components: discover plugins, load those that a spec needs, resolve names."""
