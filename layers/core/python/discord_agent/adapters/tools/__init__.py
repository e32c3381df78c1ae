"""Tools for the model, reached over the Model Context Protocol."""
