//! `/changes`: who did what when, what became of each film, and taking it back.

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
    routing::get,
};

use super::{page_context::PageContext, words};
use crate::{
    domain::{Change, Effect, Movie},
    http::{
        Shared, api,
        problem::Problem,
        query::{PageQuery, Params, with_cursor},
    },
    service::changes,
};

#[derive(Template)]
#[template(path = "changes.html")]
struct Changes<'a> {
    context: Option<&'a PageContext>,
    of: Of,
    entries: Vec<Entry<'a>>,
    /// Where to come back to after an undo.
    back: &'a str,
    /// The address of the first page.
    first: String,
    /// Whether this is not the first page.
    further: bool,
    next: Option<String>,
}

impl Changes<'_> {
    /// What leads to the next page, as it says.
    fn further_ones(&self) -> &'static str {
        if matches!(self.of, Of::Change) { "Further films" } else { "Earlier changes" }
    }
}

/// What the page is of.
enum Of {
    /// All changes.
    Collection,
    /// Those of a film, with its title, and its id where it is there.
    Film { title: String, page: Option<i64> },
    /// One of them, with all that it did.
    Change,
}

#[derive(Template)]
#[template(path = "in_the_way.html")]
struct InTheWay<'a> {
    context: Option<&'a PageContext>,
    /// Whether the change was undone before, by the one that is shown.
    undone: bool,
    entries: Vec<Entry<'a>>,
    back: &'a str,
}

/// A change as it is shown.
pub struct Entry<'a> {
    pub change: &'a Change,
    /// Whether it touched one film, which is named in its own words.
    pub alone: bool,
    pub effects: Vec<ShownEffect<'a>>,
    /// Whether all its films are on a page of their own, and not on this one.
    leads_on: bool,
    pub may_undo: bool,
}

/// What became of a film.
pub struct ShownEffect<'a> {
    pub film: &'a Movie,
    /// Its attributes before and after, where it was there both times.
    pub differences: Vec<Difference>,
    /// Whether it came, went, or neither.
    pub sign: Option<&'static str>,
}

pub struct Difference {
    pub name: &'static str,
    pub before: String,
    pub after: String,
}

impl<'a> Entry<'a> {
    pub fn of(change: &'a Change, context: &PageContext) -> Self {
        Self {
            change,
            alone: change.movies == 1,
            effects: change.effects.iter().filter_map(ShownEffect::of).collect(),
            leads_on: true,
            may_undo: context.may_edit() && change.undone_by.is_none(),
        }
    }

    pub fn what(&self) -> String {
        words::change(self.change)
    }

    pub fn when(&self) -> String {
        words::moment(self.change.at)
    }

    /// How many films it touched that are not shown.
    pub fn more(&self) -> Option<String> {
        let shown = i64::try_from(self.effects.len()).unwrap_or(i64::MAX);
        (self.leads_on && self.change.movies > shown).then(|| words::grouped(self.change.movies - shown))
    }

    /// How who did it was signed in, where that is not by a session of the pages.
    pub fn way(&self) -> String {
        match self.change.via.as_str() {
            "session" => String::new(),
            "console" => " at the machine itself".to_owned(),
            "password" => " with a password".to_owned(),
            via => format!(" with the {via}"),
        }
    }
}

impl<'a> ShownEffect<'a> {
    fn of(effect: &'a Effect) -> Option<Self> {
        let (film, sign) = match (&effect.before, &effect.after) {
            (None, after) => (after.as_ref()?, Some("added")),
            (Some(before), None) => (before, Some("deleted")),
            (Some(_), Some(after)) => (after, None),
        };
        let before = effect.before.as_ref().filter(|_| sign.is_none());
        let differences = before.map(|before| differences(before, film)).unwrap_or_default();
        Some(Self { film, differences, sign })
    }

    /// The film's attributes but the title.
    pub fn facts(&self) -> String {
        let [_, facts @ ..] = attributes(self.film);
        facts.map(|(_, value)| value).join(", ")
    }
}

/// The attributes of a film, each with its name.
fn attributes(film: &Movie) -> [(&'static str, String); 5] {
    let a = &film.attributes;
    [
        ("Title", a.title.as_str().to_owned()),
        ("Format", a.movie_format.as_str().to_owned()),
        ("Length", words::duration(a.length.get())),
        ("Year", a.release_year.get().to_string()),
        ("Rating", words::stars(a.rating.get())),
    ]
}

fn differences(before: &Movie, after: &Movie) -> Vec<Difference> {
    let pairs = attributes(before).into_iter().zip(attributes(after));
    let differences = pairs.map(|((name, before), (_, after))| Difference { name, before, after });
    differences.filter(|difference| difference.before != difference.after).collect()
}

/// The routes of the pages, for whoever is signed in.
pub fn routes() -> Router<Shared> {
    Router::new().route("/changes", get(list)).route("/changes/{change}", get(one))
}

async fn list(State(state): State<Shared>, context: PageContext, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let film = params.one("film", |text| Ok(text.to_owned()));
    let query = params.page();
    params.finish()?;
    let film = film.map(|text| known_id(&text, "film")).transpose()?;
    let (app, after) = (&state.app, query.after);
    let page = match film {
        Some(film) => changes::of_movie(app, &context, film, after, query.limit).await?,
        None => changes::list(app, &context, after, query.limit).await?,
    };
    let latest = page.items.iter().find_map(|change| change.effects.first());
    let of = film.map_or(Of::Collection, |film| Of::Film {
        title: latest
            .and_then(ShownEffect::of)
            .map_or_else(|| "a film".to_owned(), |effect| words::title(effect.film)),
        page: latest.filter(|effect| after.is_none() && effect.after.is_some()).map(|_| film),
    });
    let template = Changes {
        context: Some(&context),
        of,
        entries: page.items.iter().map(|change| Entry::of(change, &context)).collect(),
        back: &context.place,
        first: film.map_or_else(|| "/changes".to_owned(), |film| format!("/changes?film={film}")),
        further: after.is_some(),
        next: next(&uri, page.next),
    };
    context.page(StatusCode::OK, &template)
}

async fn one(
    State(state): State<Shared>,
    context: PageContext,
    Path(change): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let query = params.page();
    params.finish()?;
    let id = known_id(&change, "change")?;
    let page = changes::get(&state.app, &context, id, query.after, query.limit).await?;
    let template = Changes {
        context: Some(&context),
        of: Of::Change,
        entries: vec![Entry { leads_on: false, ..Entry::of(&page.items, &context) }],
        back: &context.place,
        first: format!("/changes/{id}"),
        further: query.after.is_some(),
        next: next(&uri, page.next),
    };
    context.page(StatusCode::OK, &template)
}

fn known_id(text: &str, what: &str) -> Result<i64, Problem> {
    api::id(text).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no such {what}")))
}

/// The address of the page that begins behind a place.
fn next(uri: &Uri, place: Option<i64>) -> Option<String> {
    place.map(|place| with_cursor(uri, &PageQuery::encode(place)))
}

/// Shows the changes that keep one from being taken back.
pub async fn show_in_the_way(
    state: &Shared,
    context: &PageContext,
    back: &str,
    undone: bool,
    ids: &[i64],
) -> Result<Response, Problem> {
    let changes = changes::some(&state.app, context, ids).await?;
    let template = InTheWay {
        context: Some(context),
        undone,
        entries: changes.iter().map(|change| Entry::of(change, context)).collect(),
        back: back.split('#').next().unwrap_or_default(),
    };
    context.page(StatusCode::CONFLICT, &template)
}
