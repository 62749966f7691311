//! The two databases, below the operations.

mod constraints;
mod opening;
mod postgres_faults;
mod transactions;
