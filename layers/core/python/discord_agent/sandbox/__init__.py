"""What runs inside the sandbox function: a thread's files, the tools on them, and an MCP server in front."""
