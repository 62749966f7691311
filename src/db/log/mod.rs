//! The log of changes as a catalogue follows it: what is new in it, and the movies as that left them.
//!
//! A statement of PostgreSQL sees the changes that were committed before it began, in whatever order they got their
//! places. So a catalogue notes the last change before which none can come any more, and those behind it that it
//! has applied already.

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
    position::{LogPosition, end, newest, place_of},
    tail::Tail,
};
