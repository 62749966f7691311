//! Tests of the database layer.

mod constraints;
mod opening;
pub mod postgres_faults;
mod pruning;
mod rolled_back;
mod sqlite_file;
mod sqlite_writer;
mod transactions;
mod unchanged;
