"""The methods: from an engine to a solution."""
