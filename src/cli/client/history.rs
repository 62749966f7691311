//! Changes of a server: requests and output.

use std::io::{self, Write};

use reqwest::{Method, header};

use super::{
    Client,
    words::{differences, named, shown},
};
use crate::{
    cli::output::Out,
    documents::{Change, Effect},
    domain::{ChangeId, ChangeKind, Limit, MovieId},
    format::{count, moment_local},
};

/// A list of changes, loaded page by page.
pub struct Changes<'a> {
    client: &'a Client,
    page: std::vec::IntoIter<Change>,
    next: Option<String>,
}

impl<'a> Changes<'a> {
    /// Lists the changes of the collection or a movie, newest first. `most` limits the size of the first
    /// page, too.
    #[must_use]
    pub fn new(client: &'a Client, movie: Option<MovieId>, most: Option<usize>) -> Self {
        let path = movie.map_or("/history".to_owned(), |id| format!("/movie/{id}/history"));
        let limit = most.map_or(Limit::DEFAULT.get(), |most| most.min(Limit::DEFAULT.get()));
        Self { client, page: Vec::new().into_iter(), next: Some(format!("{path}?limit={limit}")) }
    }

    /// Returns the next change.
    pub async fn next(&mut self) -> anyhow::Result<Option<Change>> {
        loop {
            if let Some(change) = self.page.next() {
                return Ok(Some(change));
            }
            let Some(page) = self.next.take() else { return Ok(None) };
            let request = self.client.request(Method::GET, &page, &[]).timeout(super::ANSWERING);
            let response = self.client.send(request).await?;
            self.next = response.headers().get(header::LINK).and_then(|link| next_page(link.to_str().ok()?));
            let page = response.bytes().await.map_err(|error| self.client.server.failed(&error))?;
            self.page = self.client.read::<Vec<Change>>(&page)?.into_iter();
        }
    }
}

/// Returns the URL of the next page from a `Link` header (RFC 8288).
fn next_page(link: &str) -> Option<String> {
    let (address, relation) = link.strip_prefix('<')?.split_once('>')?;
    relation.contains("rel=\"next\"").then(|| address.to_owned())
}

impl Client {
    /// Gets a change with its first effects.
    pub async fn change(&self, id: ChangeId) -> anyhow::Result<Change> {
        self.get(&format!("/history/{id}"), &[("limit", Change::EFFECTS_IN_LISTS.to_string())]).await
    }

    /// Undoes a change. Returns the new change.
    pub async fn undo(&self, id: ChangeId) -> anyhow::Result<Change> {
        self.answer(self.request(Method::POST, &format!("/history/{id}/undo"), &[])).await
    }
}

/// Writes a change: a line for itself, and one for each effect listed.
pub fn tell(change: &Change, out: &mut Out) -> io::Result<()> {
    let Change { id, at, by, via, movies, .. } = change;
    let (by, via) = (shown(by), shown(via));
    let films = count(*movies, "film");
    let kind = change.kind.known();
    let what = match (kind, change.undoes) {
        (Some(ChangeKind::Undo), Some(undone)) => format!("undid change {undone} of {films}"),
        (_, _) => format!("{} {films}", verb(kind, &change.effects)),
    };
    let undone = change.undone_by.map(|by| format!(", undone by change {by}")).unwrap_or_default();
    writeln!(out, "{id}  {}  {by} ({via})  {what}{undone}", moment_local(*at))?;
    for effect in &change.effects {
        writeln!(out, "    {}", describe(effect))?;
    }
    let more = usize::try_from(*movies).unwrap_or_default().saturating_sub(change.effects.len());
    if more > 0 && !change.effects.is_empty() {
        writeln!(out, "    and {} more", count(more, "film"))?;
    }
    Ok(())
}

/// Returns the verb of a change. A batch whose listed effects are all of one kind gets the verb of that kind.
fn verb(kind: Option<ChangeKind>, effects: &[Effect]) -> &'static str {
    let is_all = |is: fn(&Effect) -> bool| !effects.is_empty() && effects.iter().all(is);
    match kind {
        Some(ChangeKind::Create) => "added",
        Some(ChangeKind::Delete) => "deleted",
        Some(ChangeKind::Import) => "imported",
        Some(ChangeKind::Restore) => "restored",
        Some(ChangeKind::Batch) if is_all(|effect| effect.before.is_none()) => "added",
        Some(ChangeKind::Batch) if is_all(|effect| effect.after.is_none()) => "deleted",
        Some(ChangeKind::Update | ChangeKind::Batch | ChangeKind::Undo) | None => "changed",
    }
}

/// Describes the effect on a film.
#[must_use]
fn describe(effect: &Effect) -> String {
    match (&effect.before, &effect.after) {
        (None, Some(film)) => format!("+ {}", shown(&named(film))),
        (Some(film), None) => format!("- {}", shown(&named(film))),
        (Some(before), Some(after)) => {
            format!(
                "~ {}: {}",
                shown(&named(before)),
                shown(&differences(&before.attributes, &after.attributes))
            )
        }
        (None, None) => format!("  {}", effect.movie_id),
    }
}
