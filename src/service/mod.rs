//! The operations: rules, rights and transactions. The API, the pages and the commands call these.
//!
//! Rights are argument types: an operation that takes an [`Editor`] cannot be called without one.

pub mod audit;
pub mod auth;
pub mod backup;
pub mod batch;
pub mod changes;
mod error;
pub mod events;
pub mod facets;
pub mod health;
pub mod import;
mod log;
pub mod making;
pub mod movies;
mod once;
mod rights;
pub mod search;
mod search_queue;
pub mod selection;
pub mod sessions;
pub mod setup;
mod tally;
pub mod tokens;
pub mod users;
mod vocabulary;

use std::{sync::Arc, time::Duration};

pub use error::Error;
use futures_util::future::BoxFuture;
pub use once::Once;
pub use rights::{Editor, Identity, Owner, Via, Viewer};

use crate::{
    db::Db,
    domain::{Filter, Time},
};

/// What every operation needs. Shared, and cheap to clone behind its `Arc`.
pub struct App {
    pub db: Db,
    clock: Clock,
    auth: auth::Guard,
    audit: audit::Log,
    pub backups: backup::Status,
    events: events::Feed,
    vocabulary: vocabulary::Vocabulary,
    tally: tally::Tally,
    searches: search_queue::SearchQueue,
    /// Held by the import under way, where imports do not wait for one another in the database.
    import: tokio::sync::Mutex<()>,
    yield_policy: YieldPolicy,
    probe: health::Probe,
}

/// Where the present time comes from; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Decides after each batch of an import whether others write first: given how long they could not, returns
/// what the import awaits while they can. Tests bring their own, and hold an import there.
pub type YieldPolicy = Arc<dyn Fn(Duration) -> Option<BoxFuture<'static, ()>> + Send + Sync>;

impl App {
    /// The service over an open database.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            auth: auth::Guard::default(),
            audit: audit::Log::default(),
            backups: backup::Status::default(),
            events: events::Feed::default(),
            vocabulary: vocabulary::Vocabulary::default(),
            tally: tally::Tally::default(),
            searches: search_queue::SearchQueue::default(),
            import: tokio::sync::Mutex::default(),
            yield_policy: Arc::new(making::yield_after_time_slice),
            probe: health::Probe::default(),
        }
    }

    /// The same service, whose imports let others write when this policy says so.
    #[must_use]
    pub fn with_yield_policy(self, yield_policy: YieldPolicy) -> Self {
        Self { yield_policy, ..self }
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.clock)()
    }
}

/// Gets ready what is kept in memory of the collection, so that nobody has to wait for it.
pub async fn prepare(app: Arc<App>) {
    let shared = app.clone();
    let words = app.db.run_blocking(async move { shared.vocabulary.words(&shared.db).await.map(|_| ()) });
    let words = words.await;
    let kinds = tally::kinds(&app, &Filter::default()).await;
    if let Err(error) = words.and(kinds.map(|_| ())) {
        tracing::warn!(%error, "the collection cannot be read at the moment");
    }
}
