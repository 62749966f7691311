//! Bulk edits: several films are updated or deleted as one change.

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    App, Editor, Error, Viewer,
    batch::SMALL,
    catalogue,
    history::{BATCH_MOVIES, ChangeRecorder},
    movies,
};
use crate::{
    db::{movies as db, retry_write},
    domain::{ChangeId, ChangeKind, Filter, Movie, MovieId, MoviePatch},
};

/// The selected films.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// By id.
    Films(Vec<MovieId>),
    /// All that match a filter.
    All(Filter),
}

/// What to do with the selected films.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Change(MoviePatch),
    Delete,
}

/// The result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The change, if anything was changed.
    pub change: Option<ChangeId>,
    /// The number of changed films; films that had the new values already do not count.
    pub films: usize,
    /// The number of selected films that no longer exist.
    pub gone: usize,
}

/// Counts the selected films.
pub async fn count(app: &Arc<App>, viewer: &Viewer, selection: &Selection) -> Result<i64, Error> {
    match selection {
        Selection::Films(ids) => {
            let different: HashSet<&MovieId> = ids.iter().collect();
            Ok(i64::try_from(different.len()).unwrap_or(i64::MAX))
        }
        Selection::All(filter) => movies::count(app, viewer, filter).await,
    }
}

/// Changes all selected films, as one change.
pub async fn run(
    app: &Arc<App>,
    editor: &Editor,
    selection: Selection,
    action: Action,
) -> Result<Done, Error> {
    let (shared, author) = (app.clone(), editor.clone());
    let work = async move { retry_write(|| store(&shared, &author, &selection, &action)).await };
    app.db.run_blocking(work).await
}

async fn store(app: &App, editor: &Editor, selection: &Selection, action: &Action) -> Result<Done, Error> {
    let is_small = matches!(selection, Selection::Films(ids) if ids.len() <= SMALL);
    let tx = if is_small { app.db.write().await? } else { app.db.begin_exclusive().await? };
    let kind = match action {
        Action::Change(_) => ChangeKind::Update,
        Action::Delete => ChangeKind::Delete,
    };
    let mut recorder = ChangeRecorder::begin_bulk(tx, app, editor.identity(), kind).await?;
    let (filter, mut ids) = match selection {
        Selection::Films(ids) => (Filter::default(), ids.clone()),
        Selection::All(filter) => {
            let ids = catalogue::read_committed(app, |catalogue| catalogue.ids(filter)).await?;
            (filter.clone(), ids)
        }
    };
    ids.sort_unstable();
    ids.dedup();
    let mut done = Done::default();
    for ids in ids.chunks(BATCH_MOVIES) {
        let mut films = db::lock(recorder.conn(), ids).await?;
        // A film may have changed before it was locked and no longer match the filter.
        films.retain(|film| filter.finds(film));
        done.gone += ids.len() - films.len();
        done.films += apply(&mut recorder, action, films).await?;
    }
    done.change = recorder.complete().await?;
    recorder.commit(done).await
}

/// Changes locked films. Returns their number.
async fn apply(
    recorder: &mut ChangeRecorder<'_>,
    action: &Action,
    films: Vec<Movie>,
) -> Result<usize, Error> {
    match action {
        Action::Delete => {
            let ids: Vec<MovieId> = films.iter().map(|film| film.id).collect();
            recorder.delete(&ids).await?;
            Ok(ids.len())
        }
        Action::Change(wanted) => {
            let changed = films.into_iter().filter_map(|film| {
                let attributes = film.attributes.with(wanted);
                (attributes != film.attributes).then(|| (film.clone(), recorder.updated(&film, attributes)))
            });
            let changed: Vec<(Movie, Movie)> = changed.collect();
            recorder.update(&changed).await?;
            Ok(changed.len())
        }
    }
}
