//! One client: the life of a statement, its variables and prepared statements.
