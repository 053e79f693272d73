//! YAML shapes to a checked configuration.

pub mod decimal;
pub mod suffix;
pub mod unit;

pub use decimal::Decimal;
pub use suffix::Suffix;
pub use unit::Unit;
