//! An edit conflict: somebody else changed the film meanwhile. Shows both versions, to choose from.

use super::values::FormValues;
use crate::{
    documents::{Change, Effect},
    domain::{Attributes, Field, Movie, MovieId, PerField},
    format,
    http::web::parts::{page_context::PageContext, page_size},
    service::{App, Error, history},
};

/// Both versions of a film.
pub struct Conflict {
    /// Who changed it, and when.
    pub who: String,
    pub rows: Box<PerField<Row>>,
}

/// A field in both versions.
pub struct Row {
    pub label: &'static str,
    pub yours: String,
    pub theirs: String,
    pub differ: bool,
    /// The version that is in the form.
    pub taken: Side,
    /// Whether both changed it, or may have.
    pub disputed: bool,
}

/// A side of the conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Yours,
    Theirs,
}

/// Merges the submitted values with the changes since a version. A field that one side changed has its value;
/// one that both changed has the submitted value.
pub async fn between(
    app: &App,
    context: &PageContext,
    version: i64,
    yours: &Attributes,
    now: &Movie,
) -> Result<(Conflict, FormValues), Error> {
    let since = since(app, context, now.id, version).await?;
    let of_version = |change: &Change| {
        let before = change.effects.first()?.before.as_ref()?;
        (before.version == version).then(|| before.attributes.clone())
    };
    // `None` if the version was pruned.
    let base = since.iter().find_map(of_version).map(|base| shown(&base));
    let (ours, theirs) = (shown(yours), shown(&now.attributes));
    let row = |field: Field| {
        let unchanged =
            |side: &PerField<String>| base.as_ref().is_some_and(|base| base[field] == side[field]);
        Row {
            label: format::field(field),
            yours: ours[field].clone(),
            theirs: theirs[field].clone(),
            differ: ours[field] != theirs[field],
            taken: if unchanged(&ours) { Side::Theirs } else { Side::Yours },
            disputed: !unchanged(&ours) && !unchanged(&theirs),
        }
    };
    let rows = Box::new(PerField::from_fn(row));
    let (ours, theirs) = (FormValues::from(yours), FormValues::from(&now.attributes));
    let merged = PerField::from_fn(|field| match rows[field].taken {
        Side::Yours => ours.0[field].clone(),
        Side::Theirs => theirs.0[field].clone(),
    });
    Ok((Conflict { who: by_whom(&since, context), rows }, FormValues(merged)))
}

/// Returns who changed a film since a version, and when.
pub async fn who(app: &App, context: &PageContext, movie: MovieId, version: i64) -> Result<String, Error> {
    Ok(by_whom(&since(app, context, movie, version).await?, context))
}

/// Returns the changes of a film since a version, latest first.
async fn since(app: &App, context: &PageContext, movie: MovieId, version: i64) -> Result<Vec<Change>, Error> {
    let mut changes = match history::of_movie(app, &context.viewer, movie, None, page_size::FULL).await {
        Ok(page) => page.items,
        Err(Error::NotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let is_later = |change: &Change| match change.effects.first() {
        Some(Effect { after: Some(after), .. }) => after.version > version,
        Some(Effect { before: Some(before), .. }) => before.version >= version,
        _ => false,
    };
    let later = changes.iter().take_while(|change| is_later(change)).count();
    changes.truncate(later);
    Ok(changes)
}

/// Describes the authors of changes, and the time of the last one.
fn by_whom(changes: &[Change], context: &PageContext) -> String {
    let mut names: Vec<&str> = Vec::new();
    for change in changes {
        let name = if change.by == context.viewer.identity().name.as_str() { "you" } else { &change.by };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match changes.first() {
        Some(last) => format!("by {} ({})", names.join(" and "), format::moment_utc(last.at)),
        None => "by somebody".to_owned(),
    }
}

fn shown(film: &Attributes) -> PerField<String> {
    PerField {
        length: format::film_length(film.length.get()),
        rating: format::stars_in_words(film.rating.get()),
        ..FormValues::from(film).0
    }
}
