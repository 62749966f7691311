//! A change as shown on pages.

use super::{page_context::PageContext, words};
use crate::{
    documents::{Change, Effect},
    domain::{Attributes, Movie},
    format,
};

/// A change as shown on pages.
pub struct Entry<'a> {
    pub change: &'a Change,
    /// Whether it modified a single film, whose sentence names it.
    pub alone: bool,
    pub effects: Vec<ShownEffect<'a>>,
    /// Whether all its films are on a separate page.
    pub leads_on: bool,
    pub may_undo: bool,
}

/// The effect on a film.
pub struct ShownEffect<'a> {
    pub film: &'a Movie,
    /// The changed attributes, if the film existed before and after.
    pub differences: Vec<Difference>,
    /// A sign for an added or deleted film.
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
        format::moment_utc(self.change.at)
    }

    /// Returns the label of the undo button.
    pub fn undo(&self) -> String {
        words::undo(self.change.movies)
    }

    /// Returns the number of films that are not shown.
    pub fn more(&self) -> Option<String> {
        let shown = i64::try_from(self.effects.len()).unwrap_or(i64::MAX);
        (self.leads_on && self.change.movies > shown).then(|| format::number(self.change.movies - shown))
    }

    /// Describes how the author was signed in, unless by a browser session.
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
    pub fn of(effect: &'a Effect) -> Option<Self> {
        let (film, sign) = match (&effect.before, &effect.after) {
            (None, after) => (after.as_ref()?, Some("added")),
            (Some(before), None) => (before, Some("deleted")),
            (Some(_), Some(after)) => (after, None),
        };
        let before = effect.before.as_ref().filter(|_| sign.is_none());
        let differences = before.map(|before| differences(before, film)).unwrap_or_default();
        Some(Self { film, differences, sign })
    }

    /// Returns the film's known attributes except the title.
    pub fn facts(&self) -> String {
        let [_, facts @ ..] = attributes(self.film);
        let known = facts.into_iter().map(|(_, value)| value).filter(|value| value != format::UNKNOWN);
        known.collect::<Vec<_>>().join(", ")
    }
}

/// Returns the attributes of a film with their names.
fn attributes(film: &Movie) -> [(&'static str, String); 5] {
    let Attributes { title, movie_format, length, release_year, rating } = &film.attributes;
    [
        ("Title", title.as_str().to_owned()),
        ("Format", movie_format.as_str().to_owned()),
        ("Length", format::film_length(length.get())),
        ("Year", release_year.get().to_string()),
        ("Rating", format::stars_in_words(rating.get())),
    ]
}

fn differences(before: &Movie, after: &Movie) -> Vec<Difference> {
    let pairs = attributes(before).into_iter().zip(attributes(after));
    let differences = pairs.map(|((name, before), (_, after))| Difference { name, before, after });
    differences.filter(|difference| difference.before != difference.after).collect()
}
