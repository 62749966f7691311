//! The operations: rules, rights and transactions. The API, the pages and the commands call these.
//!
//! Rights are argument types: an operation that takes an [`Editor`] cannot be called without one.

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

/// What every operation needs. Shared, and cheap to clone behind its `Arc`.
pub struct App {
    pub db: Db,
    clock: Clock,
    auth: auth::AuthState,
    audit: audit::Log,
    pub backups: backup::Status,
    events: events::Feed,
    catalogue: catalogue::Follower,
    /// Held by the import under way, where imports do not wait for one another in the database.
    import: tokio::sync::Mutex<()>,
    yield_policy: YieldPolicy,
    probe: health::Probe,
    /// Noted by the server that accepts connections for this service.
    pub intake: Arc<health::Intake>,
}

/// Where the present time comes from; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Decides after each batch of an import whether others write first: given how long they could not, returns
/// what the import awaits while they can. Tests bring their own, and hold an import there.
pub type YieldPolicy = Arc<dyn Fn(Duration) -> Option<BoxFuture<'static, ()>> + Send + Sync>;

/// Something to wait for. Tests bring it, and hold the service there.
pub type Pause = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

impl App {
    /// The service over an open database.
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

    /// The same service, whose imports let others write when this policy says so.
    #[must_use]
    pub fn with_yield_policy(self, yield_policy: YieldPolicy) -> Self {
        Self { yield_policy, ..self }
    }

    /// The same service, which waits for this before a catalogue that was loaded takes the place of the one before.
    #[must_use]
    pub fn with_pause_before_swap(mut self, pause: Pause) -> Self {
        self.catalogue.pause_before_swap(pause);
        self
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.clock)()
    }
}

/// Loads the catalogue, so that nobody has to wait for it; tries again until the collection can be read.
pub async fn load_catalogue(app: Arc<App>) {
    while let Err(error) = catalogue::follow_long(&app).await {
        tracing::warn!(%error, "the collection cannot be read at the moment");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
