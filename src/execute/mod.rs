//! Runs a plan over backends.
