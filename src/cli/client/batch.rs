//! Doing one thing to several films: told and agreed to before, one change that can be undone after.

use std::io::Write;

use anyhow::bail;
use serde_json::Value;

use super::{
    Client,
    refusal::Refusal,
    terminal,
    words::{named, shown},
};
use crate::{
    cli::output::{Out, write_message},
    documents::BatchDone,
    domain::Movie,
    format::count,
};

/// How a user agrees, and is answered.
#[derive(clap::Args)]
pub struct Consent {
    /// Do not ask, even for more than one film
    #[arg(long, short)]
    yes: bool,
    /// JSON, for programs: the answer to the batch, with the change and each film
    #[arg(long)]
    json: bool,
}

/// What is to be done.
pub struct Plan<'a> {
    /// Such as `Delete`.
    pub verb: &'static str,
    /// Such as `Deleted`.
    pub done: &'static str,
    pub films: &'a [Movie],
    /// One for each film.
    pub operations: Vec<Value>,
    /// All of it, as text.
    pub preview: String,
}

/// Asks where it is more than one film, does it as one change, and says how to take it back.
///
/// # Errors
/// Nobody agrees; a film was changed meanwhile; those of [`Client::answer`].
pub async fn run(client: &Client, plan: &Plan<'_>, consent: &Consent) -> anyhow::Result<()> {
    let Plan { verb, done, films, operations, preview } = plan;
    let films_in_words = match films {
        [film] => shown(&named(film)),
        films => count(films.len(), "film"),
    };
    if films.len() > 1 && !consent.yes {
        write_message(format_args!("{preview}"));
        if !terminal::is_there() {
            bail!("{} would be {}; --yes agrees", films_in_words, done.to_lowercase());
        }
        if !terminal::agrees(&format!("{verb} these {films_in_words}?"))? {
            bail!("nothing was done");
        }
    }
    let answer = match films {
        [] => BatchDone { change: None, results: Vec::new() },
        films => client.batch(operations).await.map_err(|error| with_film(error, films))?,
    };
    let mut out = Out::new();
    match answer.change {
        _ if consent.json => out.json(&answer)?,
        Some(change) => writeln!(out, "{done} {films_in_words}. `reelshelf undo {change}` undoes it.")?,
        None => writeln!(out, "Nothing to change.")?,
    }
    out.finish()
}

/// Names the film that an operation could not be done on.
fn with_film(error: anyhow::Error, films: &[Movie]) -> anyhow::Error {
    let film = error.downcast_ref::<Refusal>().and_then(|refusal| {
        let place = refusal.errors.first()?.pointer.strip_prefix("/operations/")?.split('/').next()?;
        films.get(place.parse::<usize>().ok()?).map(|film| (refusal.status, film))
    });
    let Some((status, film)) = film else { return error };
    let film = shown(&named(film));
    match status {
        412 => anyhow::anyhow!("{film} was changed meanwhile; nothing was done"),
        404 => anyhow::anyhow!("{film} was deleted meanwhile; nothing was done"),
        _ => error.context(film),
    }
}
