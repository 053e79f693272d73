//! Many streams of rows to one. Pure: rows in, rows out.
