//! The authentication state in memory.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{Secret, passwords, throttle};
use crate::{
    db::{Credentials, sessions, tokens},
    domain::{Password, Time},
    service::Error,
};

/// The pause after a failed update.
const SESSION_TOUCH_RETRY: Duration = Duration::from_secs(60);

/// The authentication state in memory.
#[derive(Default)]
pub struct AuthState {
    pub(super) hasher: passwords::Hasher,
    pub(super) verified: passwords::VerifiedPasswordCache,
    pub(super) throttle: throttle::Throttle,
    pub(super) touches: Touches,
    pub(super) tokens: Credentials<tokens::Presented>,
    pub(super) sessions: Credentials<sessions::Presented>,
    /// The one-time code for the first owner, and its expiry.
    pub setup_code: Mutex<Option<(Secret, Time)>>,
}

impl AuthState {
    pub async fn hash(&self, password: Password) -> Result<String, Error> {
        self.hasher.hash(password.expose().to_owned()).await
    }
}

/// The time of the last failed update of a session, to limit retries and log lines.
pub(super) struct Touches(AtomicI64);

impl Touches {
    pub fn may_be_tried(&self, now: Time) -> bool {
        let failed = Time::from_millis(self.0.load(Relaxed));
        now.since(failed).is_none_or(|since| since >= SESSION_TOUCH_RETRY)
    }

    /// Records a failure. Returns whether it is the first one for a while.
    pub fn note_failure(&self, now: Time) -> bool {
        let may_be_tried = self.may_be_tried(now);
        self.0.store(now.as_millis(), Relaxed);
        may_be_tried
    }
}

impl Default for Touches {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}
