//! The filters beside the list, with facet counts.

use std::collections::BTreeMap;

use super::{address::Address, sections::within, words};
use crate::{
    domain::{Bounds, Filter, Length, MovieFormat, Rating, ReleaseYear},
    format,
    service::facets::Facets,
};

/// All data of the filters for the templates.
pub struct Filters<'a> {
    pub search: &'a str,
    pub formats: Vec<Choice>,
    pub ratings: Vec<Choice>,
    pub lengths: Vec<Choice>,
    pub decades: Vec<Decade>,
    pub year_from: String,
    pub year_to: String,
    /// The active filters, each with the URL without it.
    pub chips: Vec<Link>,
    /// The URL without filters.
    pub none: Address,
    /// Whether there is no filter by rating, and none by length.
    pub any_rating: bool,
    pub any_length: bool,
}

/// A checkbox or radio button.
pub struct Choice {
    pub value: String,
    /// Stars before the label.
    pub stars: &'static str,
    /// The same in words.
    pub spoken: String,
    pub label: String,
    pub films: String,
    pub on: bool,
}

/// A text link.
pub struct Link {
    pub label: String,
    pub href: Address,
}

/// A decade with its number of films, as a link with a bar.
pub struct Decade {
    pub label: String,
    pub href: Address,
    pub films: String,
    /// Its share of the longest bar, in thousandths.
    pub width: i64,
    pub on: bool,
}

/// Ranges of lengths to choose from, in minutes. 0 is unknown.
const LENGTHS: [(Bounds, &str); 4] = [
    (Bounds { min: Some(1), max: Some(89) }, "under 1 h 30"),
    (Bounds { min: Some(90), max: Some(119) }, "1 h 30 to 2 h"),
    (Bounds { min: Some(120), max: Some(149) }, "2 h to 2 h 30"),
    (Bounds { min: Some(150), max: None }, "2 h 30 and more"),
];

impl<'a> Filters<'a> {
    pub fn of(address: &'a Address, filter: &Filter, facets: &Facets) -> Self {
        let year = |end: Option<i64>| end.map(|year| year.to_string()).unwrap_or_default();
        Self {
            search: address.get("q"),
            formats: formats(filter, facets),
            ratings: ratings(address, filter, facets),
            lengths: lengths(address, filter, facets),
            decades: decades(address, filter, facets),
            year_from: year(filter.release_year.min),
            year_to: year(filter.release_year.max),
            chips: chips(address, filter),
            none: address.unfiltered(),
            any_rating: filter.rating == Bounds::default(),
            any_length: filter.length == Bounds::default(),
        }
    }
}

fn formats(filter: &Filter, facets: &Facets) -> Vec<Choice> {
    let choice = |format: MovieFormat| Choice {
        value: format.as_str().to_owned(),
        stars: "",
        spoken: String::new(),
        label: format.as_str().to_owned(),
        films: format::number(facets.movie_format.get(format.as_str()).copied().unwrap_or(0)),
        on: filter.movie_formats.contains(&format),
    };
    [MovieFormat::Vhs, MovieFormat::Dvd, MovieFormat::Streaming].map(choice).into()
}

fn ratings(address: &Address, filter: &Filter, facets: &Facets) -> Vec<Choice> {
    let least = |rating: i64| {
        let best = rating == Rating::MAX;
        let bounds = Bounds { min: Some(rating), max: best.then_some(rating) };
        let value = if best { rating.to_string() } else { format!("{rating}..") };
        (bounds, value, Some(rating), if best { String::new() } else { "and up".to_owned() })
    };
    let offered = (2..=Rating::MAX).rev().map(least).collect();
    let asked = (address.get("rating"), filter.rating, rating_in_words(filter.rating));
    choices(offered, asked, Rating::MIN, Rating::MAX, &facets.rating)
}

fn lengths(address: &Address, filter: &Filter, facets: &Facets) -> Vec<Choice> {
    let offered = LENGTHS.map(|(bounds, label)| {
        let end = |end: Option<i64>| end.map(|minutes| minutes.to_string()).unwrap_or_default();
        (bounds, format!("{}..{}", end(bounds.min), end(bounds.max)), None, label.to_owned())
    });
    let asked = (address.get("length"), filter.length, length_in_words(filter.length));
    choices(offered.into(), asked, Length::MIN, Length::MAX, &facets.length)
}

/// Returns the ranges to choose from. An active range that is not among them comes first.
fn choices(
    mut offered: Vec<(Bounds, String, Option<i64>, String)>,
    (value, bounds, words): (&str, Bounds, String),
    least: i64,
    most: i64,
    counts: &BTreeMap<i64, i64>,
) -> Vec<Choice> {
    let ends = |bounds: Bounds| (bounds.min.unwrap_or(least), bounds.max.unwrap_or(most));
    let asked = bounds != Bounds::default();
    if asked && !offered.iter().any(|(other, ..)| ends(*other) == ends(bounds)) {
        offered.insert(0, (bounds, value.to_owned(), None, words));
    }
    let choice = |(range, value, stars, label): (Bounds, String, Option<i64>, String)| Choice {
        value,
        stars: stars.map_or("", format::stars),
        spoken: stars.map(format::stars_in_words).unwrap_or_default(),
        label,
        films: format::number(within(counts, range).map(|(_, films)| films).sum::<i64>()),
        on: asked && ends(range) == ends(bounds),
    };
    offered.into_iter().map(choice).collect()
}

/// Returns the decades with films, latest first.
fn decades(address: &Address, filter: &Filter, facets: &Facets) -> Vec<Decade> {
    let mut decades: BTreeMap<i64, i64> = BTreeMap::new();
    for (year, films) in &facets.release_year {
        *decades.entry(year / 10 * 10).or_default() += films;
    }
    let most = decades.values().copied().max().unwrap_or(0).max(1);
    let link = |(decade, films): (i64, i64)| {
        // The last decade has a single year.
        let last = (decade + 9).min(ReleaseYear::MAX);
        Decade {
            label: format!("{decade}s"),
            href: address.with("releaseYear", &format!("{decade}..{last}")),
            films: format::number(films),
            width: (films * 1000 + most - 1) / most, // rounded up, so that each film is visible
            on: filter.release_year == Bounds { min: Some(decade), max: Some(last) },
        }
    };
    decades.into_iter().rev().map(link).collect()
}

fn chips(address: &Address, filter: &Filter) -> Vec<Link> {
    let chip = |label, href| Link { label, href };
    let mut chips = Vec::new();
    if !address.get("q").is_empty() {
        chips.push(chip(format!("“\u{2068}{}\u{2069}”", address.get("q")), address.without("q")));
    }
    for format in &filter.movie_formats {
        let name = format.as_str();
        chips.push(chip(name.to_owned(), address.without_value("movieFormat", name)));
    }
    for (name, bounds, words) in [
        ("rating", filter.rating, rating_in_words(filter.rating)),
        ("releaseYear", filter.release_year, years_in_words(filter.release_year)),
        ("length", filter.length, length_in_words(filter.length)),
    ] {
        if bounds != Bounds::default() {
            chips.push(chip(words, address.without(name)));
        }
    }
    chips
}

fn rating_in_words(bounds: Bounds) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) if min < max => format!("{min} to {}", format::stars_in_words(max)),
        _ => words::range(bounds, "and up", format::stars_in_words),
    }
}

fn years_in_words(bounds: Bounds) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) if min % 10 == 0 && max == min + 9 => format!("{min}s"),
        _ => words::range(bounds, "and later", |year| year.to_string()),
    }
}

fn length_in_words(bounds: Bounds) -> String {
    let offered = LENGTHS.iter().find(|(offered, _)| *offered == bounds);
    offered.map_or_else(|| words::range(bounds, "and more", format::length), |(_, label)| (*label).to_owned())
}
