//! `/add` and `/edit/{id}`: adds or edits a film with the same form.

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};

use super::{
    conflict::{self, Conflict, Side},
    values::{FormValues, Wrong},
};
use crate::{
    documents::Operation,
    domain::{Attributes, Length, Movie, MovieFormat, MovieId, MoviePatch, Rating, ReleaseYear, Title, fold},
    format,
    http::{
        Shared,
        extract::{
            form::Form,
            path::{self, Path},
        },
        problem::Problem,
        web::parts::{
            address::Address,
            back::{Back, local_place},
            deleted_film,
            film_card::Film,
            flash,
            page_context::{PageContext, page},
            shelf_list::place_on_shelf,
        },
    },
    service::{Editor, Error, IdempotencyKey, Viewer, batch, movies},
};

#[derive(Template)]
#[template(path = "edit.html")]
struct Page<'a> {
    context: Option<&'a PageContext>,
    form: &'a EditForm<'a>,
    typed: &'a FormValues,
    error: FormError,
}

/// The form, without its values.
struct EditForm<'a> {
    context: &'a PageContext,
    /// The film that is edited, or `None` to add one.
    film: Option<&'a Movie>,
    /// The version that is edited.
    version: i64,
    /// The page to go to afterwards.
    back: &'a str,
    /// Whether to add another film afterwards.
    another: bool,
}

/// Why a submitted form was not applied.
enum FormError {
    None,
    /// Fields are invalid.
    Wrong(Vec<Wrong>),
    /// These films may be the same.
    PossibleDuplicates(Vec<Movie>),
    /// The film was changed meanwhile.
    Changed(Conflict),
    /// The film was not deleted, since it was changed meanwhile; by whom.
    NotDeleted(String),
    /// The film was deleted meanwhile; by whom.
    Gone(String),
}

impl Page<'_> {
    /// Returns whether the form shows submitted values.
    const fn is_sent(&self) -> bool {
        !matches!(self.error, FormError::None)
    }

    /// Returns whether the field is the first invalid one.
    fn is_first_wrong(&self, field: &str) -> bool {
        let FormError::Wrong(wrong) = &self.error else { return false };
        wrong.first().is_some_and(|wrong| wrong.field.as_str() == field)
    }

    /// Returns the violation of a field.
    fn wrong(&self, field: &str) -> Option<String> {
        let FormError::Wrong(wrong) = &self.error else { return None };
        wrong.iter().find(|wrong| wrong.field.as_str() == field).map(Wrong::sentence)
    }
}

impl EditForm<'_> {
    /// Returns the URL that the form is sent to.
    fn action(&self) -> String {
        match self.film {
            Some(film) => format!("/edit/{}", film.id),
            None if self.context.is_at("/add") => self.context.place.clone(),
            None => "/add".to_owned(),
        }
    }

    fn page(&self, typed: &FormValues, error: FormError) -> Result<Response, Problem> {
        let status = match error {
            FormError::None => StatusCode::OK,
            FormError::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::CONFLICT,
        };
        self.context.page(status, &Page { context: Some(self.context), form: self, typed, error })
    }
}

/// Shows the form for a new film, with values from the URL.
pub async fn blank(_: Editor, context: PageContext, Back(back): Back, uri: Uri) -> Result<Response, Problem> {
    let query = Form::of_address(&uri);
    let another = query.find("another").is_some();
    let edit_form = EditForm { context: &context, film: None, version: 0, back: &back, another };
    edit_form.page(&FormValues::of(&query), FormError::None)
}

pub async fn add(
    State(state): State<Shared>,
    editor: Editor,
    context: PageContext,
    form: Form,
) -> Result<Response, Problem> {
    let typed = FormValues::of(&form);
    let back = local_place(form.get("back"));
    let another = form.find("another").is_some();
    let edit_form = EditForm { context: &context, film: None, version: 0, back, another };
    let film = match typed.read() {
        Ok(film) => film,
        Err(wrong) => return edit_form.page(&typed, FormError::Wrong(wrong)),
    };
    let unconfirmed = unconfirmed(&state, &context.viewer, &film, None, &form).await?;
    if !unconfirmed.is_empty() {
        return edit_form.page(&typed, FormError::PossibleDuplicates(unconfirmed));
    }
    let following = another.then(|| another_like(&film, back));
    let done =
        batch::run(&state.app, &editor, vec![Operation::create(film)], IdempotencyKey::default()).await?;
    let added = done.results.first().and_then(|outcome| outcome.movie.as_ref());
    let next = match (following, added) {
        (Some(following), _) => following,
        (None, Some(film)) => place_on_shelf(&state, &context, film, back).await?,
        (None, None) => back.to_owned(),
    };
    Ok(flash::redirect_after_change(&next, done.change))
}

/// Returns the URL of the form for the next film, with the same format.
fn another_like(film: &Attributes, back: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("another", "").append_pair("movieFormat", film.movie_format.as_str());
    if back != "/" {
        query.append_pair("back", back);
    }
    format!("/add?{}", query.finish())
}

/// Returns other films with the same title and year, unless the film had these before.
async fn possible_duplicates(
    state: &Shared,
    viewer: &Viewer,
    title: &Title,
    year: ReleaseYear,
    film: Option<&Movie>,
) -> Result<Vec<Movie>, Error> {
    let same_title = |film: &Movie| fold(film.attributes.title.as_str()) == fold(title.as_str());
    if film.is_some_and(|film| film.attributes.release_year == year && same_title(film)) {
        return Ok(Vec::new());
    }
    movies::possible_duplicates(&state.app, viewer, title, year).await
}

/// Returns the possible duplicates, unless the pressed button confirms all of them.
async fn unconfirmed(
    state: &Shared,
    viewer: &Viewer,
    wanted: &Attributes,
    film: Option<&Movie>,
    form: &Form,
) -> Result<Vec<Movie>, Error> {
    let pressed = form.find("another").or(form.find("save")).unwrap_or_default();
    let confirmed: Vec<&str> = pressed.split(' ').collect();
    let found = possible_duplicates(state, viewer, &wanted.title, wanted.release_year, film).await?;
    let are_confirmed = found.iter().all(|film| confirmed.contains(&film.id.to_string().as_str()));
    Ok(if are_confirmed { Vec::new() } else { found })
}

/// Hints that are shown while the user types.
#[derive(Template)]
#[template(path = "hints.html")]
struct Hints {
    possible_duplicates: Vec<Movie>,
    length: Option<Length>,
}

pub async fn hints(State(state): State<Shared>, viewer: Viewer, uri: Uri) -> Result<Response, Problem> {
    let query = Form::of_address(&uri);
    let typed = FormValues::of(&query);
    let film = match query.find("film") {
        Some(id) => Some(movies::get(&state.app, &viewer, path::read(id)?).await?),
        None => None,
    };
    let possible_duplicates = match (typed.title(), typed.release_year()) {
        (Ok(title), Ok(year)) => possible_duplicates(&state, &viewer, &title, year, film.as_ref()).await?,
        _ => Vec::new(),
    };
    // A length is read back where it is written in another way.
    let is_other = |length: &Length| format::length(length.get()) != typed.get("length").trim();
    let length = typed.length().ok().filter(is_other);
    page(StatusCode::OK, &Hints { possible_duplicates, length })
}

/// Shows the form of a film.
pub async fn show(
    State(state): State<Shared>,
    _: Editor,
    context: PageContext,
    Path(id): Path<MovieId>,
    Back(back): Back,
) -> Result<Response, Problem> {
    let film = match movies::get(&state.app, &context.viewer, id).await {
        Err(Error::NotFound(_)) => return deleted_film::show(&state, &context, id).await,
        film => film?,
    };
    let version = film.version;
    let edit_form = EditForm { context: &context, film: Some(&film), version, back: &back, another: false };
    edit_form.page(&FormValues::from(&film.attributes), FormError::None)
}

pub async fn save(
    State(state): State<Shared>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<MovieId>,
    form: Form,
) -> Result<Response, Problem> {
    let version = form.get("version").parse().unwrap_or_default();
    let (typed, back) = (FormValues::of(&form), local_place(form.get("back")));
    let mut found = if_there(movies::get(&state.app, &context.viewer, id).await)?;
    loop {
        let edit_form = EditForm { context: &context, film: found.as_ref(), version, back, another: false };
        let Some(film) = &found else {
            let who = conflict::who(&state.app, &context, id, version).await?;
            return edit_form.page(&typed, FormError::Gone(who));
        };
        let wanted = match typed.read() {
            Ok(wanted) => wanted,
            Err(wrong) => return edit_form.page(&typed, FormError::Wrong(wrong)),
        };
        if wanted == film.attributes {
            return Ok(flash::redirect_after_change(back, None));
        }
        if film.version != version {
            let (conflict, merged) = conflict::between(&state.app, &context, version, &wanted, film).await?;
            let edit_form = EditForm { version: film.version, ..edit_form };
            return edit_form.page(&merged, FormError::Changed(conflict));
        }
        let unconfirmed = unconfirmed(&state, &context.viewer, &wanted, Some(film), &form).await?;
        if !unconfirmed.is_empty() {
            return edit_form.page(&typed, FormError::PossibleDuplicates(unconfirmed));
        }
        let operation = Operation::update(id, Some(version), all_of(wanted));
        match batch::run(&state.app, &editor, vec![operation], IdempotencyKey::default()).await {
            // Changed by somebody else, perhaps since this request arrived: show the conflict above.
            Err(Error::Operation { .. }) => {
                found = if_there(movies::get_committed(&state.app, &context.viewer, id).await)?;
            }
            done => return Ok(flash::redirect_after_change(back, done?.change)),
        }
    }
}

fn if_there(film: Result<Movie, Error>) -> Result<Option<Movie>, Error> {
    match film {
        Err(Error::NotFound(_)) => Ok(None),
        film => film.map(Some),
    }
}

fn all_of(film: Attributes) -> MoviePatch {
    let Attributes { title, movie_format, length, release_year, rating } = film;
    MoviePatch {
        title: Some(title),
        movie_format: Some(movie_format),
        length: Some(length),
        release_year: Some(release_year),
        rating: Some(rating),
    }
}

/// Returns where to go after a deletion: from the film's own page to its list.
fn after_deletion(back: &str, id: MovieId) -> String {
    let uri: Option<Uri> = back.parse().ok().filter(|uri: &Uri| uri.path() == format!("/film/{id}"));
    uri.map_or_else(|| back.to_owned(), |uri| Address::of(&uri).list_only().to_string())
}

pub async fn delete(
    State(state): State<Shared>,
    editor: Editor,
    context: PageContext,
    Path(id): Path<MovieId>,
    form: Form,
) -> Result<Response, Problem> {
    let version = form.get("version").parse().unwrap_or_default();
    let back = local_place(form.get("back"));
    let operation = Operation::delete(id, Some(version));
    match batch::run(&state.app, &editor, vec![operation], IdempotencyKey::default()).await {
        Err(Error::Operation { .. }) => {}
        done => return Ok(flash::redirect_after_change(&after_deletion(back, id), done?.change)),
    }
    let Some(film) = if_there(movies::get_committed(&state.app, &context.viewer, id).await)? else {
        return Ok(flash::redirect_with_flash(back, "deleted"));
    };
    let who = conflict::who(&state.app, &context, id, version).await?;
    let edit_form =
        EditForm { context: &context, film: Some(&film), version: film.version, back, another: false };
    edit_form.page(&FormValues::from(&film.attributes), FormError::NotDeleted(who))
}
