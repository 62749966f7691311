//! The consistency check of a database: movies, their history, and a catalogue loaded from them.
//!
//! The versions of each movie are checked in order. The last one must equal the row of the movie, and the
//! catalogue must have the same movie.

use std::collections::{BTreeMap, VecDeque};

use super::{App, Error, Owner, catalogue};
use crate::{
    catalogue::Catalogue,
    db::{
        DbError,
        backup::{Snapshot, last_ids},
        check::{self as db, Stored},
    },
    domain::{ChangeId, Filter, MovieId},
    format::count,
};

/// Rows in a batch.
const BATCH_ROWS: usize = 5000;
/// The maximum number of differences described; further ones are only counted.
const MAX_NAMED: usize = 100;

/// The result of a check.
#[derive(Debug, Default)]
pub struct Report {
    pub movies: usize,
    pub changes: usize,
    /// The first differences, one line each.
    pub named: Vec<String>,
    /// The number of differences.
    pub differences: usize,
}

impl Report {
    fn note(&mut self, difference: impl FnOnce() -> String) {
        self.differences += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(difference());
        }
    }
}

/// Checks movies, history and a new catalogue in one snapshot.
pub async fn run(app: &App, _: &Owner) -> Result<Report, Error> {
    let db = app.db.clone();
    app.db.run_blocking(async move { Ok(check(Snapshot::begin_long(&db).await?).await?) }).await
}

async fn check(mut snapshot: Snapshot) -> Result<Report, DbError> {
    let mut check = Check::begin(&mut snapshot).await?;
    let (mut movies, mut versions) = (Source::of(Table::Movies), Source::of(Table::Versions));
    loop {
        let next = [movies.first(&mut snapshot).await?, versions.first(&mut snapshot).await?];
        let Some(id) = next.into_iter().flatten().min() else { break };
        let mut history = Vec::new();
        while versions.first(&mut snapshot).await? == Some(id) {
            history.extend(versions.rows.pop_front());
        }
        let is_there = movies.first(&mut snapshot).await? == Some(id);
        let now = if is_there { movies.rows.pop_front() } else { None };
        check.movie(id, &history, now.as_ref());
    }
    Ok(check.end())
}

/// A table that is read in batches by movie id.
struct Source {
    table: Table,
    rows: VecDeque<Stored>,
    /// The last movie id and version read.
    place: (MovieId, i64),
}

#[derive(Clone, Copy)]
enum Table {
    Movies,
    Versions,
}

impl Source {
    const fn of(table: Table) -> Self {
        Self { table, rows: VecDeque::new(), place: (MovieId::BEFORE_ALL, 0) }
    }

    /// Returns the movie id of the next row.
    async fn first(&mut self, snapshot: &mut Snapshot) -> Result<Option<MovieId>, DbError> {
        if self.rows.is_empty() {
            self.rows = match self.table {
                Table::Movies => db::movies(snapshot.conn(), self.place.0, BATCH_ROWS).await?.into(),
                Table::Versions => db::versions(snapshot.conn(), self.place, BATCH_ROWS).await?.into(),
            };
            if let Some(last) = self.rows.back() {
                self.place = (last.movie_id, last.version);
            }
        }
        Ok(self.rows.front().map(|row| row.movie_id))
    }
}

/// A change of the history.
struct Change {
    /// The number of modified movies that it states.
    recorded: i64,
    /// The number of its versions found.
    found: i64,
}

/// A running check.
struct Check {
    /// `None` if loading failed.
    catalogue: Option<Catalogue>,
    changes: BTreeMap<ChangeId, Change>,
    /// The last change id that was handed out.
    last_change: ChangeId,
    /// Missing changes with the number of versions that refer to them.
    missing: BTreeMap<ChangeId, u64>,
    report: Report,
}

impl Check {
    async fn begin(snapshot: &mut Snapshot) -> Result<Self, DbError> {
        let mut report = Report::default();
        for damage in db::damage(snapshot.conn()).await? {
            report.note(|| format!("the file is damaged: {damage}"));
        }
        let catalogue = match catalogue::load(snapshot).await {
            Ok(catalogue) => Some(catalogue),
            Err(DbError::Failed(error)) => {
                report.note(|| format!("the catalogue cannot be loaded: {error}"));
                None
            }
            Err(error) => return Err(error),
        };
        let mut changes = BTreeMap::new();
        let mut above = ChangeId::BEFORE_ALL;
        loop {
            let page = db::changes(snapshot.conn(), above, BATCH_ROWS).await?;
            let Some((last, _)) = page.last() else { break };
            above = *last;
            changes.extend(page.into_iter().map(|(id, recorded)| (id, Change { recorded, found: 0 })));
        }
        report.changes = changes.len();
        let last_change = last_ids(snapshot.conn()).await?.changes;
        Ok(Self { catalogue, changes, last_change, missing: BTreeMap::new(), report })
    }

    /// Returns whether a missing change was pruned.
    fn is_pruned(&self, change: ChangeId) -> bool {
        change <= self.last_change && self.changes.first_key_value().is_none_or(|(first, _)| change < *first)
    }

    /// Checks a movie: its versions in order, and its current row if it exists.
    fn movie(&mut self, id: MovieId, history: &[Stored], now: Option<&Stored>) {
        self.report.movies += usize::from(now.is_some());
        let mut before: Option<&Stored> = None;
        for stored in history.iter().chain(now) {
            self.count(stored);
            self.follows(before, stored);
            if let Err(error) = stored.movie() {
                self.report.note(|| format!("film {id}, version {}: {error}", stored.version));
            }
            before = Some(stored);
        }
        match (now, history.last()) {
            (Some(now), _) => self.is_in_catalogue(now),
            (None, Some(last)) if !last.is_deletion() => {
                let version = last.version;
                self.report.note(|| {
                    format!("film {id} is not there, and its last version, {version}, is no deletion")
                });
            }
            (None, _) => {}
        }
    }

    /// Counts a version for its change.
    fn count(&mut self, stored: &Stored) {
        if let Some(change) = self.changes.get_mut(&stored.change_id) {
            change.found += 1;
        } else if !self.is_pruned(stored.change_id) {
            *self.missing.entry(stored.change_id).or_default() += 1;
        }
    }

    /// Checks that a version follows its predecessor.
    fn follows(&mut self, before: Option<&Stored>, stored: &Stored) {
        let (id, version) = (stored.movie_id, stored.version);
        match before {
            Some(before) if before.version >= version => {
                let last = before.version;
                self.report
                    .note(|| format!("film {id} is version {version}, but its history comes to {last}"));
            }
            Some(before) if before.version + 1 == version => {
                if before.created_at != stored.created_at {
                    self.report.note(|| {
                        format!("film {id}, version {version}: the time of its creation is another")
                    });
                }
            }
            _ if version == 1 || self.is_pruned(stored.change_id) => {}
            _ => self.report.note(|| format!("film {id}: version {} is missing", version - 1)),
        }
    }

    /// Checks that the catalogue finds a movie by id and by title.
    fn is_in_catalogue(&mut self, now: &Stored) {
        let (Some(catalogue), Ok(Some(movie))) = (&self.catalogue, now.movie()) else { return };
        let attributes = &movie.attributes;
        let of_title = catalogue.duplicates(&attributes.title, attributes.release_year);
        if catalogue.get(movie.id).as_ref() != Some(&movie) || !of_title.contains(&movie) {
            self.report.note(|| format!("film {} is another one in the catalogue", movie.id));
        }
    }

    fn end(mut self) -> Report {
        for (change, versions) in &self.missing {
            self.report.note(|| {
                format!("change {change} is missing, which created versions of {}", count(*versions, "film"))
            });
        }
        for (id, Change { recorded, found }) in
            self.changes.iter().filter(|(_, change)| change.recorded != change.found)
        {
            self.report.note(|| {
                format!(
                    "change {id} touched {}, and {found} of these versions are there",
                    count(*recorded, "film")
                )
            });
        }
        let rows = self.report.movies;
        if let Some(catalogue) = &self.catalogue {
            let (held, found) = (catalogue.len(), catalogue.count(&Filter::default()));
            if held != rows || usize::try_from(found) != Ok(rows) {
                self.report.note(|| {
                    format!(
                        "the catalogue holds {} and finds {found}, and there are {rows} in the table",
                        count(held, "film")
                    )
                });
            }
        }
        self.report
    }
}
