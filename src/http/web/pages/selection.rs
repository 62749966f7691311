//! `/selection`: bulk edits of the films selected on the collection page.

use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri},
    response::Response,
};

use crate::{
    domain::{Code, Filter, Invalid, MovieFormat, MovieId, MoviePatch, Rating, Violation, quoted},
    format,
    http::{
        Shared,
        extract::{form::Form, query::Params},
        problem::Problem,
        web::parts::{back::local_place, confirm::Confirm, flash, page_context::PageContext},
    },
    limits::{MAX_BODY_BYTES, MAX_SELECTION_FIELDS, MAX_UNCONFIRMED_FILMS},
    service::{
        Editor,
        selection::{self, Action, Selection},
    },
};

/// Changes or deletes the films and redirects to where they were selected.
pub async fn apply(
    State(state): State<Shared>,
    editor: Editor,
    context: PageContext,
    request: Request,
) -> Result<Response, Problem> {
    let form = Form::read(MAX_BODY_BYTES, MAX_SELECTION_FIELDS, request).await?;
    let back = local_place(form.get("back"));
    let Some(films) = films(&form)? else { return Ok(flash::redirect_with_flash(back, "unselected")) };
    let action = action(&form)?;
    if action == Action::Delete
        && let Some(page) = confirmation(&state, &context, &films, &form, back).await?
    {
        return Ok(page);
    }
    let done = selection::run(&state.app, &editor, films, action).await?;
    Ok(flash::redirect_after_selection(back, &done))
}

/// Returns the confirmation page, unless it is not needed or was answered.
async fn confirmation(
    state: &Shared,
    context: &PageContext,
    selection: &Selection,
    form: &Form,
    back: &str,
) -> Result<Option<Response>, Problem> {
    let films = selection::count(&state.app, &context.viewer, selection).await?;
    let confirmed = form.find("confirmed").map(|number| number.parse().unwrap_or(0));
    if films <= confirmed.unwrap_or(0).max(MAX_UNCONFIRMED_FILMS.into()) {
        return Ok(None);
    }
    let field = match selection {
        Selection::All(_) => ("all", form.get("all").to_owned()),
        Selection::Films(ids) => ("id", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
    };
    let (status, more) = match confirmed {
        Some(_) => (StatusCode::CONFLICT, "Nothing was deleted: more films match now than you confirmed. "),
        None => (StatusCode::OK, ""),
    };
    let delete = format!("Delete {}", format::films(films));
    let template = Confirm {
        context: Some(context),
        question: format!("{delete}?"),
        note: format!("{more}You can undo it afterwards."),
        action: "/selection",
        fields: vec![("do", "delete".to_owned()), ("confirmed", films.to_string()), field],
        button: delete,
        back,
    };
    context.page(status, &template).map(Some)
}

/// Returns the selected films, if any.
fn films(form: &Form) -> Result<Option<Selection>, Problem> {
    if let Some(address) = form.all("all").next() {
        return filter(address).map(Selection::All).map(Some);
    }
    let ids = form.all("id").flat_map(|ids| ids.split(','));
    let ids: Result<Vec<MovieId>, _> = ids.map(str::parse).collect();
    let ids = ids.map_err(|_| {
        invalid("id", Invalid::new(Code::Malformed, "must be ids of films, with commas between them"))
    })?;
    Ok((!ids.is_empty()).then_some(Selection::Films(ids)))
}

/// Parses the filter in a collection URL.
fn filter(address: &str) -> Result<Filter, Problem> {
    let uri: Uri = address.parse().map_err(|_| {
        invalid(
            "all",
            Invalid::new(Code::Malformed, "must be an address of the collection").got(quoted(address)),
        )
    })?;
    let mut params = Params::of(&uri);
    let filter = params.filter();
    params.finish()?;
    Ok(filter)
}

fn action(form: &Form) -> Result<Action, Problem> {
    match form.get("do") {
        "change" => Ok(Action::Change(changes(form)?)),
        "delete" => Ok(Action::Delete),
        other => {
            Err(invalid("do", Invalid::new(Code::NotAllowed, "must be change or delete").got(quoted(other))))
        }
    }
}

/// Returns the new values; empty fields stay unchanged.
fn changes(form: &Form) -> Result<MoviePatch, Problem> {
    let mut changes = MoviePatch::default();
    let format = form.get("movieFormat");
    if !format.is_empty() {
        let format = MovieFormat::parse(format).map_err(|rule| invalid("movieFormat", rule))?;
        changes.movie_format = Some(format);
    }
    let rating = form.get("rating");
    if !rating.is_empty() {
        changes.rating = Some(Rating::parse(rating).map_err(|rule| invalid("rating", rule))?);
    }
    Ok(changes)
}

fn invalid(field: &str, rule: Invalid) -> Problem {
    Problem::invalid(StatusCode::UNPROCESSABLE_ENTITY, vec![Violation::at(format!("/{field}"), rule)])
}
