//! Undoing changes.

use std::{
    collections::{HashMap, HashSet},
    iter,
    sync::Arc,
};

use super::{
    changes::{add_first_effects, not_found},
    recorder::{BATCH_MOVIES, ChangeRecorder},
};
use crate::{
    db::{DbError, changes as db, movies, retry_write, versions},
    documents::Change,
    domain::{ChangeId, ChangeKind, Movie, MovieId},
    service::{App, Editor, Error, IdempotencyKey, idempotency::Claim, movies as operations},
};

/// Undoes a whole change, as a new change.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::UndoConflict`] if the change was undone already or later changes modified
/// the same movies; [`Error::KeyReused`].
pub async fn undo(
    app: &Arc<App>,
    editor: &Editor,
    id: ChangeId,
    key: IdempotencyKey,
) -> Result<Change, Error> {
    let (shared, author) = (app.clone(), editor.clone());
    let work = async move { retry_write(|| take_back(&shared, &author, id, &key)).await };
    app.db.run_blocking(work).await
}

async fn take_back(app: &App, editor: &Editor, id: ChangeId, key: &IdempotencyKey) -> Result<Change, Error> {
    /// The maximum number of conflicting changes in an error.
    const NAMED: usize = 100;

    let tx = match key.begin(app.db.begin_exclusive().await?, app, editor.identity().user_id).await? {
        Claim::New(tx) => tx,
        Claim::Replay(change) => return Ok(change),
    };
    let begun = ChangeRecorder::begin_undo(tx, app, editor.identity(), ChangeKind::Undo, Some(id)).await;
    let mut recorder = match begun {
        Err(Error::Db(DbError::Duplicate(_))) => {
            // On SQLite the undo may not be committed yet; until then only writers see it.
            let mut tx = app.db.write().await?;
            let undo = db::get(tx.conn(), id).await?.and_then(|change| change.undone_by);
            return Err(Error::UndoConflict { undone: true, changes: undo.into_iter().collect() });
        }
        begun => begun?,
    };
    db::get(recorder.conn(), id).await?.ok_or_else(|| not_found(id))?;
    movies::lock_touched_by(recorder.conn(), id).await?;
    let mut changes = conflicting_changes(&db::later(recorder.conn(), id).await?);
    changes.truncate(NAMED);
    if !changes.is_empty() {
        return Err(Error::UndoConflict { undone: false, changes });
    }
    let mut above = MovieId::BEFORE_ALL;
    loop {
        let found = versions::of_change(recorder.conn(), id, above, BATCH_MOVIES).await?;
        let Some(last) = found.last() else { break };
        above = last.movie_id;
        let effects = versions::effects(recorder.conn(), found).await?;
        let ids: Vec<MovieId> = effects.iter().map(|(_, effect)| effect.movie_id).collect();
        let present = movies::lock(recorder.conn(), &ids).await?.into_iter().map(|movie| (movie.id, movie));
        let mut present: HashMap<MovieId, Movie> = present.collect();
        let mut created = Vec::new();
        let mut updated = Vec::new();
        let mut deleted = Vec::new();
        for (_, effect) in effects {
            match (effect.before, effect.after) {
                (None, _) => created.push(effect.movie_id),
                (Some(before), None) => {
                    let updated_at = recorder.at.max(before.updated_at); // the clock may be set back
                    deleted.push(Movie { version: before.version + 2, updated_at, ..before });
                }
                (Some(before), Some(_)) => {
                    let now = present.remove(&effect.movie_id);
                    let now = now.ok_or_else(|| operations::not_found(effect.movie_id))?;
                    let then = recorder.updated(&now, before.attributes);
                    updated.push((now, then));
                }
            }
        }
        recorder.update(&updated).await?;
        recorder.delete(&created).await?;
        recorder.insert(&deleted).await?;
    }
    let undo = recorder.complete().await?.ok_or_else(|| not_found(id))?;
    let mut change = vec![db::get(recorder.conn(), undo).await?.ok_or_else(|| not_found(undo))?];
    add_first_effects(recorder.conn(), &mut change).await?;
    recorder.commit(change.remove(0)).await
}

/// Returns the later changes that conflict with an undo, oldest first. A change and its undo cancel each
/// other out. If an undo was itself undone, the change counts, and the last undo of the chain is the one to
/// be undone.
fn conflicting_changes(later: &HashMap<ChangeId, Option<ChangeId>>) -> Vec<ChangeId> {
    let undone: HashSet<ChangeId> = later.values().copied().flatten().collect();
    let before = |id: &ChangeId| later.get(id).copied().flatten().filter(|undone| later.contains_key(undone));
    let is_done = |last: &ChangeId| iter::successors(Some(*last), before).count() % 2 == 1;
    let mut changes: Vec<ChangeId> =
        later.keys().filter(|id| !undone.contains(id) && is_done(id)).copied().collect();
    changes.sort_unstable();
    changes
}
