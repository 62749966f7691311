//! Backups: a consistent snapshot that is verified after writing. A restore is atomic.

mod make;
mod restore;
mod schedule;
mod status;

pub use make::{Made, make};
pub use restore::{Restored, restore};
pub use schedule::{Schedule, keep};
pub use status::{Report, Status};
