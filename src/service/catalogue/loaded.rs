//! A catalogue that was loaded, and what is applied to it.

use std::{collections::HashSet, io};

use crate::{
    catalogue::Catalogue,
    db::{
        Db, DbError,
        backup::Snapshot,
        log::{self, FollowLimits, LogEntry, LogPosition, News},
        movies,
    },
    domain::{ChangeId, MovieId},
};

/// Movies loaded by one query.
const LOADED_AT_ONCE: usize = 5000;

/// The catalogue as of a place of the log.
pub(super) struct LoadedCatalogue {
    pub(super) catalogue: Catalogue,
    /// The last settled change; it and all before it are applied. `None` if the log was empty.
    pub(super) last: Option<LogEntry>,
    /// Later changes that are applied, too.
    pub(super) others: HashSet<ChangeId>,
}

/// The changes cannot be applied one by one: they are too many, or the log was replaced.
#[derive(Debug)]
pub(super) struct BeyondLimits;

/// What is in the log from a change on.
pub(super) async fn news(db: &Db, last: Option<LogEntry>, most: FollowLimits) -> Result<News, DbError> {
    let place = last.map(|last| last.place).unwrap_or_default();
    log::news(&mut db.read().await?, place, most).await
}

/// Loads the catalogue of a snapshot.
pub(in crate::service) async fn load(snapshot: &mut Snapshot) -> Result<Catalogue, DbError> {
    Ok(LoadedCatalogue::of(snapshot).await?.catalogue)
}

impl LoadedCatalogue {
    pub(super) async fn load(db: &Db) -> Result<Self, DbError> {
        // Reads wait for this, so it must not wait for writers.
        let mut snapshot = Snapshot::begin(db).await?;
        snapshot.conn().allow_long_statements().await?;
        Self::of(&mut snapshot).await
    }

    async fn of(snapshot: &mut Snapshot) -> Result<Self, DbError> {
        let end = log::end(snapshot.conn()).await?;
        let last = log::from(snapshot.conn(), end, 1).await?.into_iter().find(|change| change.settled);
        let others = log::committed_behind(snapshot.conn(), last.map(|last| last.place).unwrap_or_default());
        let others = others.await?;
        let no_thread = |e: io::Error| DbError::Unavailable(format!("no thread can be started: {e}"));
        let loading = Catalogue::loading().map_err(no_thread)?;
        let mut above = MovieId::BEFORE_ALL;
        loop {
            let page = movies::page(snapshot.conn(), above, LOADED_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            above = last.id;
            loading.push(page);
        }
        Ok(Self { catalogue: loading.finish().map_err(no_thread)?, last, others })
    }

    pub(super) fn has(&self, place: LogPosition, id: ChangeId) -> bool {
        self.others.contains(&id) || self.last.is_some_and(|last| place <= last.place)
    }

    /// Applies all new changes or none.
    pub(super) fn apply(&mut self, news: &News, most: FollowLimits) -> Result<(), BeyondLimits> {
        let is_last = |entry: &&LogEntry| self.last.is_some_and(|last| last.place == entry.place);
        let (before, new) =
            news.entries.split_at(usize::from(news.entries.first().as_ref().is_some_and(is_last)));
        // A restored collection may have a log that begins like this one.
        let is_there = |id: &ChangeId| new.iter().any(|change| change.id == *id);
        let is_same_log = self.others.iter().all(is_there)
            && match (self.last, before) {
                (Some(last), [first]) => (last.id, last.at) == (first.id, first.at),
                // After a restore, movies may exist whose changes were pruned.
                (None, []) => new
                    .iter()
                    .all(|change| change.place.is_of_transaction() || self.others.contains(&change.id)),
                _ => false,
            };
        let is_new = |change: &&LogEntry| !self.others.contains(&change.id);
        let is_small = new.iter().filter(is_new).all(|change| change.movies <= most.movies);
        if !is_same_log || !is_small || !news.is_whole {
            return Err(BeyondLimits);
        }
        let applied: HashSet<ChangeId> = new.iter().filter(is_new).map(|change| change.id).collect();
        for (_, id, movie) in news.touched.iter().filter(|(change, ..)| applied.contains(change)) {
            match movie {
                Some(movie) => self.catalogue.put(movie),
                None => drop(self.catalogue.remove(*id)),
            }
        }
        self.others.extend(applied);
        for change in new.iter().take_while(|change| change.settled) {
            self.others.remove(&change.id);
            self.last = Some(*change);
        }
        Ok(())
    }
}
