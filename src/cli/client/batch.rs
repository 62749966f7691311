//! Batches of films: preview, confirmation, and one change that can be undone.

use std::io::Write;

use anyhow::bail;

use super::{
    Client,
    refusal::Refusal,
    terminal,
    words::{named, shown},
};
use crate::{
    cli::output::{Out, write_message},
    documents::{Batch, BatchDone},
    domain::Movie,
    format::count,
};

/// Confirmation and output options.
#[derive(clap::Args)]
pub struct Consent {
    /// Do not ask, even for more than one film
    #[arg(long, short)]
    yes: bool,
    /// JSON, for programs: the response to the batch, with the change and each film
    #[arg(long)]
    json: bool,
}

/// A batch with its messages.
pub struct Plan<'a> {
    /// A verb such as `Delete`.
    pub verb: &'static str,
    /// Its past participle, such as `Deleted`.
    pub done: &'static str,
    pub films: &'a [Movie],
    /// One operation for each film.
    pub batch: Batch,
    /// The preview.
    pub preview: String,
}

/// Asks for confirmation if there are several films, runs the batch, and says how to undo it.
///
/// # Errors
/// If the user does not confirm, or a film was changed meanwhile; as [`Client::answer`].
pub async fn run(client: &Client, plan: &Plan<'_>, consent: &Consent) -> anyhow::Result<()> {
    let Plan { verb, done, films, batch, preview } = plan;
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
            bail!("nothing was changed");
        }
    }
    let answer = match films {
        [] => BatchDone { change: None, results: Vec::new() },
        films => client.batch(batch).await.map_err(|error| with_film(error, films))?,
    };
    let mut out = Out::new();
    match answer.change {
        _ if consent.json => out.json(&answer)?,
        Some(change) => writeln!(out, "{done} {films_in_words}. `reelshelf undo {change}` undoes it.")?,
        None => writeln!(out, "Nothing to change.")?,
    }
    out.finish()
}

/// Adds the film to the error of its operation.
fn with_film(error: anyhow::Error, films: &[Movie]) -> anyhow::Error {
    let film = error.downcast_ref::<Refusal>().and_then(|refusal| {
        let place =
            refusal.0.errors.first()?.pointer.as_deref()?.strip_prefix("/operations/")?.split('/').next()?;
        films.get(place.parse::<usize>().ok()?).map(|film| (refusal.0.status, film))
    });
    let Some((status, film)) = film else { return error };
    let film = shown(&named(film));
    match status {
        412 => anyhow::anyhow!("{film} was changed meanwhile; nothing was changed"),
        404 => anyhow::anyhow!("{film} was deleted meanwhile; nothing was changed"),
        _ => error.context(film),
    }
}
