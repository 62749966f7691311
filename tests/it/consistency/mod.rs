//! Consistency of reads: each sees one state, with everything that was acknowledged before.

mod commands;
mod instances;
mod killed;
mod large;
