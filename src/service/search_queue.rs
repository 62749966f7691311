//! A bound on the searches that run at once, so that nobody's searches take all connections to the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::{Error, Viewer};
use crate::{
    db::{DbError, deadline},
    domain::Filter,
    limits::{MAX_SEARCHES, MAX_SEARCHES_OF_USER},
};

pub(super) struct SearchQueue {
    of_all: Arc<Semaphore>,
    /// Of the users whose searches run or wait.
    of_users: Mutex<HashMap<i64, Weak<Semaphore>>>,
}

/// Lets a search run until it is dropped.
pub(super) struct SearchPermit {
    _permits: Option<[OwnedSemaphorePermit; 2]>,
    /// Kept until the permits are given back.
    _of_user: Option<Arc<Semaphore>>,
}

impl Default for SearchQueue {
    fn default() -> Self {
        Self { of_all: Arc::new(Semaphore::new(MAX_SEARCHES)), of_users: Mutex::default() }
    }
}

impl SearchQueue {
    /// Waits until a user's search may run, but not beyond the request's deadline. What does not search does not
    /// wait. An operation that has a permit must not ask for another one.
    pub(super) async fn permit(&self, viewer: &Viewer, filter: &Filter) -> Result<SearchPermit, Error> {
        if filter.words.is_empty() {
            return Ok(SearchPermit { _permits: None, _of_user: None });
        }
        let of_user = self.of_user(viewer.user_id);
        let both = async {
            // First that of the user: who waits for it holds up nobody else.
            let of_user = of_user.clone().acquire_owned().await?;
            Ok([of_user, self.of_all.clone().acquire_owned().await?])
        };
        let permits = deadline::in_time("the queue of searches", both).await?;
        let permits = permits.map_err(|closed: AcquireError| DbError::Unavailable(closed.to_string()))?;
        Ok(SearchPermit { _permits: Some(permits), _of_user: Some(of_user) })
    }

    fn of_user(&self, user: i64) -> Arc<Semaphore> {
        let mut of_users = self.of_users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_user) = of_users.get(&user).and_then(Weak::upgrade) {
            return of_user;
        }
        of_users.retain(|_, of_user| of_user.strong_count() > 0);
        let of_user = Arc::new(Semaphore::new(MAX_SEARCHES_OF_USER));
        of_users.insert(user, Arc::downgrade(&of_user));
        of_user
    }
}
