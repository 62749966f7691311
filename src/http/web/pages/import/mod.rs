//! `/import`: asks for what the file lacks, previews the rows, and imports the films.

mod choices;
mod input;
mod outcome;
mod page;
mod questions;
mod sent;

pub use page::{send, show};
