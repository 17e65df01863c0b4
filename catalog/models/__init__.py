"""The contract with physics: what the catalogue knows of a model, and how a model is found."""
