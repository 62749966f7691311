//! The two databases, below the operations.

mod constraints;
mod opening;
mod transactions;
