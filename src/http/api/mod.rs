//! The JSON API, a file for each noun.

pub mod account;
pub mod batch;
pub mod events;
pub mod health;
pub mod history;
pub mod import;
pub mod movies;
pub mod sessions;
pub mod tokens;
pub mod users;

/// The id at the end of an address: a whole number from 1, written in digits alone.
pub(super) fn id(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|id| digits && *id > 0)
}
