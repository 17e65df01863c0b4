"""Work: blocks are solved in this process, in others or on a cluster."""
