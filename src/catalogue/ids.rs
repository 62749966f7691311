//! The ids of movies by slot.

use std::ops::Index;

use super::column::{Column, PAGE_VALUES, Slot};

/// Ids with a lower bound for each page of slots. A search for the lowest ids skips pages by it, without
/// reading them.
#[derive(Default)]
pub(super) struct Ids {
    ids: Column<i64>,
    lower_bounds: Vec<i64>,
}

impl Ids {
    /// Sets the id of a slot. The slot is in use, or is the next new one.
    pub(super) fn set(&mut self, slot: Slot, id: i64) {
        self.ids.set(slot, id);
        match self.lower_bounds.get_mut(slot as usize / PAGE_VALUES) {
            Some(bound) => *bound = id.min(*bound),
            None => self.lower_bounds.push(id),
        }
    }

    /// Clears the id of a slot. The lower bound of its page stays, so it may be too low.
    pub(super) fn clear(&mut self, slot: Slot) {
        self.ids[slot] = 0;
    }

    /// Returns a number that is not above any id in the same page.
    pub(super) fn lower_bound(&self, slot: Slot) -> i64 {
        self.lower_bounds[slot as usize / PAGE_VALUES]
    }
}

impl Index<Slot> for Ids {
    type Output = i64;

    fn index(&self, slot: Slot) -> &i64 {
        &self.ids[slot]
    }
}
