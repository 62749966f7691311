//! How many entries the pages show at once.

use crate::domain::Limit;

/// What is shown within a moment: more comes as one scrolls.
pub const FIRST_LOOK: Limit = Limit::new(50);
/// A full page of a list.
pub const FULL: Limit = Limit::new(200);
