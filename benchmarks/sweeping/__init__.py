"""What `against_sweep_tools.py` runs: the functions, the tools, a process, and the checks."""
