//! `/statistics`: films by decade, format, rating and length. The URL has the list's filters.

mod page;
mod records;

pub use page::show;
