//! The check of a database: its rows, the history of its changes, and a catalogue that was loaded from it.
//!
//! The history is followed version by version from the first that is kept. At its end it must have come to the rows,
//! and the catalogue must hold the same.

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
};

/// Rows that are read in one go.
const BATCH_ROWS: usize = 5000;
/// Differences that are named; further ones are counted.
const MAX_NAMED: usize = 100;

/// What a check has found.
#[derive(Debug, Default)]
pub struct Report {
    pub movies: usize,
    pub changes: usize,
    /// The first differences, a line each.
    pub named: Vec<String>,
    /// How many there are in all.
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

/// Compares the rows of movies, the history and a catalogue that is loaded for it, all as of one moment.
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

fn films(n: impl Into<i128>) -> String {
    let n = n.into();
    format!("{n} film{}", if n == 1 { "" } else { "s" })
}

/// A table that is read in pieces, in the order of the movies' ids.
struct Source {
    table: Table,
    rows: VecDeque<Stored>,
    /// The last movie and version that were read.
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

    /// The movie of the first row that is left.
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
    /// How many movies it says that it touched.
    told: i64,
    /// How many versions there are that it made.
    found: i64,
}

/// A check under way.
struct Check {
    /// None where it cannot be loaded.
    catalogue: Option<Catalogue>,
    changes: BTreeMap<ChangeId, Change>,
    /// The last id of a change that was handed out.
    last_change: ChangeId,
    /// Changes that versions name and that are not there, with the number of these versions.
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
            Err(DbError::Failed(why)) => {
                report.note(|| format!("the catalogue cannot be loaded: {why}"));
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
            changes.extend(page.into_iter().map(|(id, told)| (id, Change { told, found: 0 })));
        }
        report.changes = changes.len();
        let last_change = last_ids(snapshot.conn()).await?.changes;
        Ok(Self { catalogue, changes, last_change, missing: BTreeMap::new(), report })
    }

    /// Whether a change is not there because the history was shortened.
    fn is_pruned(&self, change: ChangeId) -> bool {
        change <= self.last_change && self.changes.first_key_value().is_none_or(|(first, _)| change < *first)
    }

    /// Checks a movie: its versions in order, and its row, if it is there.
    fn movie(&mut self, id: MovieId, history: &[Stored], now: Option<&Stored>) {
        self.report.movies += usize::from(now.is_some());
        let mut before: Option<&Stored> = None;
        for stored in history.iter().chain(now) {
            self.count(stored);
            self.follows(before, stored);
            if let Err(why) = stored.movie() {
                self.report.note(|| format!("film {id}, version {}: {why}", stored.version));
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

    /// Counts a version for the change that made it.
    fn count(&mut self, stored: &Stored) {
        if let Some(change) = self.changes.get_mut(&stored.change_id) {
            change.found += 1;
        } else if !self.is_pruned(stored.change_id) {
            *self.missing.entry(stored.change_id).or_default() += 1;
        }
    }

    /// Checks that a version comes right after the one before it.
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

    /// Checks that the catalogue holds a movie, under its id and under its title.
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
            self.report
                .note(|| format!("change {change} is missing, which made versions of {}", films(*versions)));
        }
        for (id, Change { told, found }) in
            self.changes.iter().filter(|(_, change)| change.told != change.found)
        {
            self.report.note(|| {
                format!("change {id} touched {}, and {found} of these versions are there", films(*told))
            });
        }
        let rows = self.report.movies;
        if let Some(catalogue) = &self.catalogue {
            let (held, found) = (catalogue.len(), catalogue.count(&Filter::default()));
            if held != rows || usize::try_from(found) != Ok(rows) {
                self.report.note(|| {
                    format!("the catalogue holds {held} films and finds {found}, and there are {rows} rows")
                });
            }
        }
        self.report
    }
}
