//! Page sizes of the pages.

use crate::domain::Limit;

/// The first part of a list, shown at once; the rest is loaded while scrolling.
pub const FIRST_LOOK: Limit = Limit::new(50);
/// A full page.
pub const FULL: Limit = Limit::new(200);
