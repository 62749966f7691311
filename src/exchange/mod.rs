//! Import and export of movie files as streams.

mod check;
mod conversion;
mod csv;
mod encoding;
mod export;
mod hints;
mod layouts;
mod letterboxd_export;
mod movielens_ratings;
mod ndjson;
mod options;
mod parser;
mod record;
mod rows;
mod survey;
mod text;
mod titles;
mod values;

pub use check::{REJECT_COLUMN, check};
pub use encoding::{Encoding, guess_encoding};
pub use export::{Format, write_json, write_movies};
pub use hints::is_name_of;
pub use letterboxd_export::merge_letterboxd_within;
pub use letterboxd_export::{Merged, Origin, merge_letterboxd};
pub use movielens_ratings::with_movielens_ratings;
pub use options::ImportOptions;
pub use rows::{FileKind, Row, Rows};
use rows::{STORED, unreadable};
pub use survey::{Column, Survey, guess_columns, is_known, likely_rating_scale, survey, table};
