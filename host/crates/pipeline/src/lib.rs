//! The graph of a module's stages: which stage feeds which, before anything runs.
