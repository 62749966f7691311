//! The backup file format. It is the same for both databases and readable with `zstdcat` and `jq`.
//!
//! It is a zstd frame (RFC 8878) of JSON lines: a [`Header`], one [`Entry`] for each row, and a last line
//! with the number of rows. Rows are sorted by table and id. A skippable zstd frame follows with the SHA-256
//! of all bytes before it, which detects any damage.

mod bounds;
mod lines;
mod read;
mod seal;
#[cfg(test)]
mod tests;
mod write;

pub use lines::{Change, Counts, Deletion, Entry, FORMAT, Header, LastIds, Made, Noun, Token, User};
pub use read::{Reader, Unusable};
pub use write::Writer;
