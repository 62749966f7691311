//! The history of the collection: changes are recorded, shown, undone, announced and removed.

mod changes;
pub mod events;
mod pruning;
mod recorder;
mod undo;

pub(super) use self::recorder::{BATCH_MOVIES, ChangeRecorder};
pub use self::{
    changes::{Page, count, count_of_movie, get, list, newest, of_movie, some},
    pruning::prune,
    undo::undo,
};
