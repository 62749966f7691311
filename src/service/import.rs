//! Imports: a whole file as one transaction, read as a stream.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    sync::Arc,
};

use super::{App, Editor, Error, Once, changes::Making, once::Begun};
use crate::{
    db::movies as db,
    domain::{Attributes, ChangeKind, Movie, MovieFormat, fold, sort_key},
    exchange::{FileKind, ImportOptions, OnDuplicate, OnError, Record, Report, Rows},
};

/// Rows that are stored in one go.
const PIECE: usize = 500;

/// Imports a file. It is there whole before, so that no slow sender keeps others from writing.
///
/// # Errors
/// [`Error::UnreadableFile`]; [`Error::ImportAborted`] where rows are invalid and are not to be skipped;
/// [`Error::KeyReused`].
pub async fn import(
    app: &Arc<App>,
    editor: &Editor,
    file: File,
    kind: FileKind,
    options: ImportOptions,
    once: Once,
) -> Result<Report, Error> {
    let (shared, author) = (app.clone(), editor.clone());
    app.db.long(async move { store(&shared, &author, file, kind, &options, once).await }).await
}

async fn store(
    app: &App,
    editor: &Editor,
    file: File,
    kind: FileKind,
    options: &ImportOptions,
    once: Once,
) -> Result<Report, Error> {
    let unreadable = |e: &dyn std::fmt::Display| Error::UnreadableFile(e.to_string());
    let mut rows = Rows::open(file, kind, options).map_err(|e| unreadable(&e))?;
    let mut report = Report {
        dry_run: options.dry_run,
        ignored_columns: rows.ignored_columns().to_vec(),
        ..Report::default()
    };
    let once = if options.dry_run { Once::default() } else { once };
    let tx = match once.begin(app, editor.user_id).await? {
        Begun::First(tx) => tx,
        Begun::Again(report) => return Ok(report),
    };
    let mut making = Making::begin(tx, app, editor, ChangeKind::Import).await?;
    let mut aborted = false;
    let mut piece = Vec::with_capacity(PIECE);
    let mut more = true;
    while more {
        match rows.next() {
            None => more = false,
            Some(row) => {
                report.read += 1;
                let record: Result<Record, _> = row.map_err(|e| unreadable(&e))?.map_err(|error| vec![error]);
                match record.and_then(|record| record.attributes(options)) {
                    Ok(attributes) => piece.push(attributes),
                    Err(errors) => report.fail(errors),
                }
            }
        }
        if piece.len() == PIECE || !more {
            aborted = options.on_error == OnError::Abort && report.failed > 0;
            let piece = std::mem::take(&mut piece);
            if !aborted {
                store_piece(&mut making, piece, options.on_duplicate, &mut report).await?;
            }
        }
    }
    if aborted {
        let nothing = Report { created: 0, updated: 0, skipped: 0, ..report };
        return Err(Error::ImportAborted(Box::new(nothing)));
    }
    if options.dry_run {
        return Ok(report);
    }
    report.change = making.complete().await?;
    making.commit(report).await
}

type Identity = (String, i64, MovieFormat);

/// What makes two movies the same: title (case and accents aside), release year and format.
fn identity(attributes: &Attributes) -> Identity {
    (fold(attributes.title.as_str()), attributes.release_year.get(), attributes.movie_format)
}

/// A movie that a row describes too.
enum Known {
    /// One of the collection, and what it is to become.
    Stored(Box<Movie>, Option<Attributes>),
    /// One of this piece, at its place among the new ones.
    New(usize),
}

async fn store_piece(
    making: &mut Making<'_>,
    piece: Vec<Attributes>,
    on_duplicate: OnDuplicate,
    report: &mut Report,
) -> Result<(), Error> {
    let mut known: HashMap<Identity, Known> = HashMap::new();
    if on_duplicate != OnDuplicate::Add {
        let mut keys: Vec<String> = piece.iter().map(|a| sort_key(a.title.as_str())).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut stored = db::with_sort_keys(making, &keys).await?;
        if on_duplicate == OnDuplicate::Update {
            let ids: Vec<i64> = stored.iter().map(|movie| movie.id).collect();
            stored = db::lock(making, &ids).await?;
        }
        for movie in stored {
            // The oldest of several: they come by id.
            known.entry(identity(&movie.attributes)).or_insert_with(|| Known::Stored(Box::new(movie), None));
        }
    }
    let mut new: Vec<Attributes> = Vec::new();
    for attributes in piece {
        if on_duplicate == OnDuplicate::Add {
            new.push(attributes);
            continue;
        }
        match known.entry(identity(&attributes)) {
            Entry::Vacant(vacant) => {
                vacant.insert(Known::New(new.len()));
                new.push(attributes);
            }
            Entry::Occupied(mut occupied) => {
                let same = match occupied.get() {
                    Known::Stored(movie, wanted) => {
                        *wanted.as_ref().unwrap_or(&movie.attributes) == attributes
                    }
                    Known::New(place) => new[*place] == attributes,
                };
                if on_duplicate == OnDuplicate::Skip || same {
                    report.skipped += 1;
                    continue;
                }
                report.updated += 1;
                match occupied.get_mut() {
                    Known::New(place) => new[*place] = attributes,
                    Known::Stored(_, wanted) => *wanted = Some(attributes),
                }
            }
        }
    }
    let updated = known.into_values().filter_map(|known| match known {
        Known::Stored(movie, Some(wanted)) if wanted != movie.attributes => {
            let updated = making.updated(&movie, wanted);
            Some((*movie, updated))
        }
        _ => None,
    });
    let updated: Vec<(Movie, Movie)> = updated.collect();
    making.update(&updated).await?;
    report.created += new.len() as u64;
    making.add(new).await?;
    Ok(())
}
