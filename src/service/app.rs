//! What the operations share.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use super::{audit, auth, backup, catalogue, health, history::events, staged_imports};
use crate::{db::Db, domain::Time};

/// The state that operations share, behind an `Arc`.
pub struct App {
    pub db: Db,
    pub(super) clock: Clock,
    pub(super) auth: auth::AuthState,
    pub(super) audit: audit::Log,
    pub backups: backup::Status,
    pub(super) events: events::Feed,
    pub(super) catalogue: catalogue::Follower,
    /// Held by the running import on SQLite.
    pub(super) import: tokio::sync::Mutex<()>,
    pub(super) yield_policy: YieldPolicy,
    pub(super) probe: health::Probe,
    /// Set by the server that accepts connections.
    pub intake: Arc<health::Intake>,
}

/// The source of the current time; tests inject their own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Decides after each batch of an import whether other writes run first. It gets the time since they last
/// could. It returns what the import awaits meanwhile. Tests inject their own.
pub type YieldPolicy = Arc<dyn Fn(Duration) -> Option<BoxFuture<'static, ()>> + Send + Sync>;

/// Something to wait for, injected by tests.
pub type Pause = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

impl App {
    /// Creates the service for an open database.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            auth: auth::AuthState::default(),
            audit: audit::Log::default(),
            backups: backup::Status::default(),
            events: events::Feed::default(),
            catalogue: catalogue::Follower::default(),
            import: tokio::sync::Mutex::default(),
            yield_policy: Arc::new(staged_imports::yield_after_time_slice),
            probe: health::Probe::default(),
            intake: Arc::default(),
        }
    }

    /// Replaces the yield policy of imports.
    #[must_use]
    pub fn with_yield_policy(self, yield_policy: YieldPolicy) -> Self {
        Self { yield_policy, ..self }
    }

    /// Sets a pause before a new catalogue is swapped in.
    #[must_use]
    pub fn with_pause_before_swap(mut self, pause: Pause) -> Self {
        self.catalogue.pause_before_swap(pause);
        self
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.clock)()
    }
}
