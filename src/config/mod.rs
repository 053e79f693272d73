//! YAML shapes to a checked configuration.
