"""Those whose training steps are compared; a module is loaded only in the process of its contestant."""
