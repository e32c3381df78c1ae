"""What slash commands do, one module per group of them."""
