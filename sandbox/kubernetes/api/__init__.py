"""The API server: kinds, objects, verbs, patches, discovery and who may call."""
