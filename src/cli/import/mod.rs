//! `reelshelf import`

mod command;
mod input;
mod questions;
mod rejects;
mod report;
mod upload;

pub use command::{Args, run};
