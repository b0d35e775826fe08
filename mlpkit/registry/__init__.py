"""Finding components: discover plugins, load what a spec needs, resolve names."""
