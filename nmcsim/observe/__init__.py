"""Numbers and pictures of a state, compiled once and evaluated on accepted steps."""
