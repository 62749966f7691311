//! The operations: rules, permissions and transactions. API, pages and command line call them.
//!
//! Permissions are argument types: an operation that takes an [`Editor`] cannot be called without one.

pub mod audit;
pub mod auth;
pub mod backup;
pub mod batch;
mod catalogue;
mod change_recorder;
pub mod changes;
pub mod check;
mod error;
pub mod events;
pub mod facets;
pub mod health;
mod idempotency;
pub mod import;
pub mod movies;
pub mod neighbours;
mod rights;
pub mod search;
pub mod selection;
pub mod sessions;
pub mod setup;
pub mod staged_imports;
pub mod tokens;
mod unanswered;
pub mod users;

use std::{sync::Arc, time::Duration};

pub use error::Error;
use futures_util::future::BoxFuture;
pub use idempotency::IdempotencyKey;
pub use rights::{AuthMethod, Editor, Identity, Owner, Viewer};

use crate::{db::Db, domain::Time};

/// The state that operations share, behind an `Arc`.
pub struct App {
    pub db: Db,
    clock: Clock,
    auth: auth::AuthState,
    audit: audit::Log,
    pub backups: backup::Status,
    events: events::Feed,
    catalogue: catalogue::Follower,
    /// Held by the running import on SQLite.
    import: tokio::sync::Mutex<()>,
    yield_policy: YieldPolicy,
    probe: health::Probe,
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

/// Loads the catalogue at start. Retries until the database answers.
pub async fn load_catalogue(app: Arc<App>) {
    while let Err(error) = catalogue::follow_long(&app).await {
        tracing::warn!(%error, "the collection cannot be read at the moment");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
