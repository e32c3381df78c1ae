"""Workspaces on S3: manifests, packs and the head that says which manifest is current."""
