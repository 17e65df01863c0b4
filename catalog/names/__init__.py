"""What things are called: terms, labels, queries, states."""
