//! `/changes` and `/undo`: the history, and undo.

use std::fmt::Display;

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};

use crate::{
    domain::{ChangeId, MovieId},
    http::{
        Shared,
        extract::{
            form::Form,
            path::Path,
            query::{PageQuery, Params, with_cursor},
        },
        problem::Problem,
        web::parts::{
            back::local_place,
            change_entry::{Entry, ShownEffect},
            confirm::Confirm,
            flash,
            page_context::PageContext,
            page_size, words,
        },
    },
    limits::MAX_UNCONFIRMED_FILMS,
    service::{Editor, Error, IdempotencyKey, history},
};

#[derive(Template)]
#[template(path = "changes.html")]
struct Changes<'a> {
    context: Option<&'a PageContext>,
    of: Of,
    entries: Vec<Entry<'a>>,
    /// The page to return to after an undo.
    back: &'a str,
    /// The URL of the first page.
    first: String,
    /// Whether this is not the first page.
    further: bool,
    next: Option<String>,
}

impl Changes<'_> {
    /// Returns the text of the link to the next page.
    fn further_ones(&self) -> &'static str {
        if matches!(self.of, Of::Change) { "Further films" } else { "Earlier changes" }
    }
}

/// The subject of the page.
enum Of {
    /// All changes.
    Collection,
    /// The changes of a film, with its title, and its id if it exists.
    Film { title: String, page: Option<MovieId> },
    /// One change with all its effects.
    Change,
}

#[derive(Template)]
#[template(path = "undo_conflict.html")]
struct UndoConflict<'a> {
    context: Option<&'a PageContext>,
    /// Whether the change was undone already, by the one shown.
    undone: bool,
    entries: Vec<Entry<'a>>,
    back: &'a str,
}

pub async fn list(State(state): State<Shared>, context: PageContext, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let film = params.one("film", |text| Ok(text.to_owned()));
    let film: Option<MovieId> = film
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| Problem::new(StatusCode::NOT_FOUND, "there is no such film"))?;
    let list_name = film.map_or_else(|| PageQuery::CHANGES.to_owned(), PageQuery::changes_of);
    let query = params.page(&list_name);
    params.finish()?;
    let (app, after) = (&state.app, query.after);
    let (changes, next) = if let Some(film) = film {
        let page = history::of_movie(app, &context.viewer, film, after, query.limit).await?;
        (page.items, next(&uri, &list_name, page.next))
    } else {
        let page = history::list(app, &context.viewer, after.map(ChangeId::from_stored), query.limit).await?;
        (page.items, next(&uri, &list_name, page.next))
    };
    let latest = changes.iter().find_map(|change| change.effects.first());
    let of = film.map_or(Of::Collection, |film| Of::Film {
        title: latest
            .and_then(ShownEffect::of)
            .map_or_else(|| "a film".to_owned(), |effect| words::title(effect.film)),
        page: latest.filter(|effect| after.is_none() && effect.after.is_some()).map(|_| film),
    });
    let template = Changes {
        context: Some(&context),
        of,
        entries: changes.iter().map(|change| Entry::of(change, &context)).collect(),
        back: &context.place,
        first: film.map_or_else(|| "/changes".to_owned(), |film| format!("/changes?film={film}")),
        further: after.is_some(),
        next,
    };
    context.page(StatusCode::OK, &template)
}

pub async fn one(
    State(state): State<Shared>,
    context: PageContext,
    Path(id): Path<ChangeId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let list_name = PageQuery::effects_of(id);
    let query = params.page(&list_name);
    params.finish()?;
    let page =
        history::get(&state.app, &context.viewer, id, query.after.map(MovieId::from_stored), query.limit)
            .await?;
    let template = Changes {
        context: Some(&context),
        of: Of::Change,
        entries: vec![Entry { leads_on: false, ..Entry::of(&page.items, &context) }],
        back: &context.place,
        first: format!("/changes/{id}"),
        further: query.after.is_some(),
        next: next(&uri, &list_name, page.next),
    };
    context.page(StatusCode::OK, &template)
}

/// Returns the URL of the next page.
fn next(uri: &Uri, list: &str, place: Option<impl Display>) -> Option<String> {
    place.map(|place| with_cursor(uri, &PageQuery::encode(list, place)))
}

/// Shows the changes that conflict with an undo.
async fn show_conflict(
    state: &Shared,
    context: &PageContext,
    back: &str,
    undone: bool,
    ids: &[ChangeId],
) -> Result<Response, Problem> {
    let changes = history::some(&state.app, &context.viewer, ids).await?;
    let template = UndoConflict {
        context: Some(context),
        undone,
        entries: changes.iter().map(|change| Entry::of(change, context)).collect(),
        back: back.split('#').next().unwrap_or_default(),
    };
    context.page(StatusCode::CONFLICT, &template)
}

/// Returns the confirmation page of an undo, if the change has many films.
async fn confirmation(
    state: &Shared,
    context: &PageContext,
    id: ChangeId,
    back: &str,
) -> Result<Option<Response>, Problem> {
    let change = history::get(&state.app, &context.viewer, id, None, page_size::FIRST_LOOK).await?.items;
    if change.movies <= MAX_UNCONFIRMED_FILMS.into() {
        return Ok(None);
    }
    let template = Confirm {
        context: Some(context),
        question: format!("Undo “{}”?", words::change(&change)),
        note: "You can undo the undo afterwards.".to_owned(),
        action: "/undo",
        fields: vec![("change", id.to_string()), ("confirmed", "yes".to_owned())],
        button: words::undo(change.movies),
        back,
    };
    context.page(StatusCode::OK, &template).map(Some)
}

/// Undoes a change and redirects to where the user came from, or shows the conflicting changes.
pub async fn undo(
    State(state): State<Shared>,
    editor: Editor,
    context: PageContext,
    form: Form,
) -> Result<Response, Problem> {
    let id = form.get("change").parse();
    let id = id.map_err(|_| Problem::new(StatusCode::NOT_FOUND, "there is no such change"))?;
    let back = local_place(form.get("back"));
    if form.find("confirmed").is_none()
        && let Some(page) = confirmation(&state, &context, id, back).await?
    {
        return Ok(page);
    }
    match history::undo(&state.app, &editor, id, IdempotencyKey::default()).await {
        Ok(undone) => Ok(flash::redirect_after_change(back, Some(undone.id))),
        Err(Error::UndoConflict { undone, changes }) => {
            show_conflict(&state, &context, back, undone, &changes).await
        }
        Err(error) => Err(error.into()),
    }
}
