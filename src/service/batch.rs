//! Batches: several operations as one change that succeeds or fails as a whole.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    App, Editor, Error,
    history::ChangeRecorder,
    idempotency::{Claim, IdempotencyKey},
    movies::{Precondition, not_found},
};
use crate::{
    db::{movies as db, retry_write},
    documents::{BatchDone, CreateOperation, DeleteOperation, Operation, OperationDone, UpdateOperation},
    domain::{ChangeKind, Movie, MovieId},
};

/// Up to this number of operations, a batch shares its commit with other writes, which makes both faster.
pub(super) const SMALL: usize = 100;

/// Runs operations in order; each sees the results of the previous ones. A movie that ends up unchanged keeps
/// its version.
///
/// # Errors
/// [`Error::Operation`] for the first operation whose movie does not exist or has another version;
/// [`Error::KeyReused`].
pub async fn run(
    app: &Arc<App>,
    editor: &Editor,
    operations: Vec<Operation>,
    key: IdempotencyKey,
) -> Result<BatchDone, Error> {
    let (shared, author) = (app.clone(), editor.clone());
    let work = async move { retry_write(|| store(&shared, &author, &operations, &key)).await };
    app.db.run_blocking(work).await
}

async fn store(
    app: &App,
    editor: &Editor,
    operations: &[Operation],
    key: &IdempotencyKey,
) -> Result<BatchDone, Error> {
    let tx = if operations.len() > SMALL { app.db.begin_exclusive().await? } else { app.db.write().await? };
    let tx = match key.begin(tx, app, editor.identity().user_id).await? {
        Claim::New(tx) => tx,
        Claim::Replay(done) => return Ok(done),
    };
    let mut recorder = ChangeRecorder::begin(tx, app, editor.identity(), ChangeKind::Batch).await?;
    let mut targets: Vec<MovieId> = operations.iter().filter_map(Operation::target).collect();
    targets.sort_unstable();
    targets.dedup();
    let found = db::lock(recorder.conn(), &targets).await?;
    let new = operations.iter().filter(|operation| operation.target().is_none()).count();
    let mut ids = db::reserve_ids(recorder.conn(), new).await?.into_iter();

    let mut movies = Movies::new(found);
    let mut results = Vec::with_capacity(operations.len());
    for (place, operation) in operations.iter().cloned().enumerate() {
        let done = movies.apply(&recorder, &mut ids, operation);
        let movie = done.map_err(|error| Error::Operation { place, cause: Box::new(error) })?;
        results.push(OperationDone { movie });
    }
    movies.store(&mut recorder).await?;
    let change = recorder.complete().await?;
    recorder.commit(BatchDone { change, results }).await
}

/// The movies that a batch names or creates.
struct Movies {
    before: BTreeMap<MovieId, Movie>,
    now: BTreeMap<MovieId, Movie>,
}

impl Movies {
    fn new(found: Vec<Movie>) -> Self {
        let before: BTreeMap<MovieId, Movie> = found.into_iter().map(|movie| (movie.id, movie)).collect();
        Self { now: before.clone(), before }
    }

    /// Applies an operation in memory. Returns the movie after it.
    fn apply(
        &mut self,
        recorder: &ChangeRecorder<'_>,
        ids: &mut impl Iterator<Item = MovieId>,
        operation: Operation,
    ) -> Result<Option<Movie>, Error> {
        let movie = match operation {
            Operation::Create(CreateOperation { movie, .. }) => {
                let id = ids.next().ok_or_else(|| Error::Failed("too few ids for a batch".to_owned()))?;
                recorder.created(id, movie)
            }
            Operation::Update(UpdateOperation { id, version, changes, .. }) => {
                let now = self.find(id, version)?;
                let attributes = now.attributes.with(&changes);
                match self.before.get(&id) {
                    None => Movie { attributes, ..now.clone() }, // created by this batch, in its final state
                    Some(before) if before.attributes == attributes => before.clone(),
                    Some(before) => recorder.updated(before, attributes),
                }
            }
            Operation::Delete(DeleteOperation { id, version, .. }) => {
                self.find(id, version)?;
                self.now.remove(&id);
                return Ok(None);
            }
        };
        self.now.insert(movie.id, movie.clone());
        Ok(Some(movie))
    }

    fn find(&self, id: MovieId, version: Option<i64>) -> Result<&Movie, Error> {
        let movie = self.now.get(&id).ok_or_else(|| not_found(id))?;
        Precondition::of(version).check(movie)?;
        Ok(movie)
    }

    /// Writes the final states of the movies.
    async fn store(self, recorder: &mut ChangeRecorder<'_>) -> Result<(), Error> {
        let Self { mut before, now } = self;
        let mut created = Vec::new();
        let mut updated = Vec::new();
        for (id, movie) in now {
            match before.remove(&id) {
                None => created.push(movie),
                Some(before) if before != movie => updated.push((before, movie)),
                Some(_) => {}
            }
        }
        let deleted: Vec<MovieId> = before.into_keys().collect();
        recorder.update(&updated).await?;
        recorder.insert(&created).await?;
        recorder.delete(&deleted).await?;
        Ok(())
    }
}
