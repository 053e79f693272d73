//! Tests of the whole merge.

mod cases;
mod model;
mod property;
