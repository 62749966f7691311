//! How a catalogue follows the log: which changes are new, and the current state of the movies that they
//! modified.
//!
//! On PostgreSQL, changes become visible in the order of their commits, which can differ from the order of
//! the log. So a catalogue remembers its last settled change, and which later changes it has applied already.

mod copied;
mod entries;
mod news;
mod position;
mod tail;

pub(super) use self::{
    copied::{are_copied, put_copied_first},
    tail::{WithTail, max_tail, tail_column, with_tail},
};
pub use self::{
    entries::{LogEntry, committed_behind, from, since},
    news::{FollowLimits, News, news},
    position::{LogPosition, end, is_pruned_behind, newest, place_of},
    tail::Tail,
};
