//! What a read sees: one moment of the collection, with all that was answered before it.

mod commands;
mod instances;
mod killed;
mod large;
