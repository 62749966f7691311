//! How many movies of each kind there are, kept in memory: counts beside filters and statistics of the
//! whole collection cost the same however large it is.
//!
//! Each instance has its own. It is counted once and follows the log of changes from there.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::Mutex;

use super::{App, Error, log};
use crate::{
    db::{Conn, Db, DbError, backup::Snapshot, changes, movies},
    domain::{Filter, Kind},
};

/// The kinds of which there are movies, with how many.
pub(super) type Kinds = HashMap<Kind, i64>;

/// The kinds as far as they are known; nothing before they are asked for.
#[derive(Default)]
pub(super) struct Tally(Mutex<Option<Known>>);

struct Known {
    /// The last change that is accounted for, as are all before it; none where the log was empty.
    last: Option<changes::Logged>,
    /// Those behind it that are accounted for, too.
    others: HashSet<i64>,
    kinds: Arc<Kinds>,
}

/// The kinds of the movies whose titles match the search of a filter, with how many there are of each.
///
/// # Errors
/// Those of the database.
pub(super) async fn kinds(app: &Arc<App>, filter: &Filter) -> Result<Arc<Kinds>, Error> {
    let shared = app.clone();
    let search = Filter { words: filter.words.clone(), ..Filter::default() };
    let kinds = async move {
        if search.words.is_empty() {
            return Ok(shared.tally.kinds(&shared.db).await?);
        }
        let kinds = movies::kinds(&mut shared.db.read().await?, &search).await?;
        Ok(Arc::new(kinds.into_iter().collect()))
    };
    app.db.run_blocking(kinds).await
}

impl Tally {
    /// The kinds of everything that is committed. Only within [`Db::run_blocking`].
    async fn kinds(&self, db: &Db) -> Result<Arc<Kinds>, DbError> {
        // Whoever comes meanwhile needs the same.
        let mut known = self.0.lock().await;
        if let Some(known) = known.as_mut()
            && known.follow(db).await?
        {
            return Ok(known.kinds.clone());
        }
        *known = None; // not two of them in memory
        let counted = {
            let mut snapshot = Snapshot::begin(db).await?;
            Known::count(&mut snapshot).await?
        };
        Ok(known.insert(counted).kinds.clone())
    }
}

impl Known {
    async fn count(conn: &mut Conn) -> Result<Self, DbError> {
        let last = log::last(conn).await?;
        let behind = changes::committed_behind(conn, last.map(|last| last.place).unwrap_or_default());
        let others = behind.await?;
        let kinds = Arc::new(movies::kinds(conn, &Filter::default()).await?.into_iter().collect());
        Ok(Self { last, others, kinds })
    }

    /// Counts what was changed since; tells whether that can be known.
    async fn follow(&mut self, db: &Db) -> Result<bool, DbError> {
        let new = log::since(&mut db.read().await?, self.last).await?;
        if new.as_ref().is_some_and(|new| new.iter().all(|change| self.others.contains(&change.id))) {
            return Ok(true);
        }
        // What a version followed is read after the version: none may come in between.
        let mut conn = Snapshot::begin(db).await?;
        let Some(new) = log::since(&mut conn, self.last).await? else { return Ok(false) };
        let ids = new.iter().map(|change| change.id).filter(|id| !self.others.contains(id));
        let ids: Vec<i64> = ids.collect();
        let versions = changes::versions_by_any(&mut conn, &ids).await?;
        let kinds = Arc::make_mut(&mut self.kinds);
        for (_, effect) in changes::effects(&mut conn, versions).await? {
            for (movie, one) in [(&effect.before, -1), (&effect.after, 1)] {
                let Some(kind) = movie.as_ref().map(Kind::of) else { continue };
                let count = kinds.entry(kind).or_default();
                *count += one;
                if *count == 0 {
                    kinds.remove(&kind);
                }
            }
        }
        self.others.extend(ids);
        for change in new.into_iter().take_while(|change| change.settled) {
            self.others.remove(&change.id);
            self.last = Some(change);
        }
        Ok(true)
    }
}
