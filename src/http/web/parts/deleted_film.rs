//! The page of a deleted film: by whom, and Undo.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::{page_context::PageContext, words};
use crate::{
    documents::Change,
    domain::{ChangeKind, MovieId},
    format,
    http::{Shared, problem::Problem, web::parts::page_size},
    service::{Error, history},
};

/// The content of the page.
#[derive(Template)]
#[template(path = "film_gone.html")]
struct Gone<'a> {
    context: Option<&'a PageContext>,
    id: MovieId,
    title: String,
    /// The change that deleted the film.
    change: &'a Change,
    back: String,
}

impl Gone<'_> {
    fn may_undo(&self) -> bool {
        self.context.is_some_and(PageContext::may_edit) && self.change.undone_by.is_none()
    }

    /// Returns whether it was deleted by undoing its creation.
    fn was_undone(&self) -> bool {
        self.change.kind == ChangeKind::Undo.into()
    }

    fn when(&self) -> String {
        format::moment_utc(self.change.at)
    }

    /// Formats the number of films that were deleted together.
    fn all(&self) -> String {
        format::films(self.change.movies)
    }
}

/// Shows who deleted a film, with an Undo button.
pub async fn show(state: &Shared, context: &PageContext, id: MovieId) -> Result<Response, Problem> {
    let no_film = || Problem::new(StatusCode::NOT_FOUND, format!("there is no film {id}"));
    let history = match history::of_movie(&state.app, &context.viewer, id, None, page_size::FIRST_LOOK).await
    {
        Err(Error::NotFound(_)) => return Err(no_film()),
        history => history?.items,
    };
    let deletion = history.first().and_then(|change| Some((change, change.effects.first()?)));
    let deletion = deletion.and_then(|(change, effect)| match (&effect.before, &effect.after) {
        (Some(film), None) => Some((change, film)),
        _ => None,
    });
    let (change, film) = deletion.ok_or_else(no_film)?;
    let (title, back) = (words::title(film), format!("/film/{id}"));
    let template = Gone { context: Some(context), id, title, change, back };
    context.page(StatusCode::NOT_FOUND, &template)
}
