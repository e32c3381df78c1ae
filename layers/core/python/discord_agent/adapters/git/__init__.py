"""Git by library: own repositories, built from manifests, never a working directory that a model wrote."""
