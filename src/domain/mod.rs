//! The domain: types that can only hold valid values. No input or output.

mod bytes;
mod change;
mod fold;
mod fuzzy;
mod ids;
mod invalid;
mod list;
mod movie;
mod password;
mod per_field;
mod shelf;
mod short_text;
mod text;
mod time;
mod user;
mod violations;
mod word;

pub use bytes::{BYTE_ORDER_MARK, hex};
pub use change::ChangeKind;
pub use fold::fold;
pub use fuzzy::{FuzzyScore, FuzzyTerm, fuzzy_score};
pub use ids::{ChangeId, Id, MovieId, SessionId, TokenId, UserId};
pub use invalid::{Code, Hint, Invalid, Place, Reason, Violation};
pub use list::{Bounds, Cursor, FacetKey, Filter, FilterMatches, KeyValue, Limit, ListQuery, Sort, SortKey};
pub use movie::{Attributes, Field, Length, Movie, MovieFormat, MoviePatch, Rating, ReleaseYear, Title};
pub(crate) use movie::{quoted, whole};
pub use password::Password;
pub use per_field::PerField;
pub use shelf::{Articles, sort_key, sort_key_and_words, sort_keys_of_same};
pub(crate) use short_text::reorders;
pub use text::{are_neighbours, matches_word, parts_of, query_words, title_words};
pub use time::Time;
pub(crate) use time::TimeWriter;
pub use user::{Role, TokenName, UserName};
pub use violations::{AllChecked, Checked, Violations};
pub(crate) use word::serde_as_word;
