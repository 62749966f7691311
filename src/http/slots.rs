//! Limits on concurrent requests of a user, such as event streams.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{StatusCode, header};

use super::problem::Problem;
use crate::domain::UserId;
use crate::service::Identity;

/// Seconds for `Retry-After`.
const RETRY_AFTER: u64 = 5;

/// The slots of one kind that users occupy.
pub struct Slots {
    max: usize,
    /// Their name, such as `event streams`.
    what: &'static str,
    taken: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// An occupied slot, freed when dropped.
pub struct Slot {
    user: UserId,
    taken: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Slots {
    pub fn new(max: usize, what: &'static str) -> Self {
        Self { max, what, taken: Arc::default() }
    }

    /// Occupies a slot, unless the user has too many.
    pub fn take(&self, user: &Identity) -> Result<Slot, Problem> {
        self.take_for(user.user_id).ok_or_else(|| {
            let detail =
                format!("you have {} {} at once already; end one of them first", self.max, self.what);
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).with_header(header::RETRY_AFTER, RETRY_AFTER)
        })
    }

    fn take_for(&self, user: UserId) -> Option<Slot> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(user).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Slot { user, taken: self.taken.clone() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_so_many_and_gets_them_back() {
        let slots = Slots::new(2, "things");
        let [one, other] = [7, 8].map(UserId::from_stored);
        let (first, second) = (slots.take_for(one), slots.take_for(one));
        assert!(first.is_some() && second.is_some() && slots.take_for(one).is_none());
        assert!(slots.take_for(other).is_some(), "another user has others");
        drop(first);
        assert!(slots.take_for(one).is_some());
        drop(second);
        assert!(slots.taken.lock().expect("not poisoned").is_empty(), "who has none is forgotten");
    }
}
