//! Builds everything from a configuration, binds listeners, drains on shutdown.
