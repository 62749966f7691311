//! Section headings on the shelf and the jump links to them: letters, decades, stars, formats.

use super::{address::Address, film_card::Film};
use crate::{
    domain::{Bounds, Cursor, Filter, KeyValue, Movie, MovieFormat, Sort, SortKey},
    format,
    service::facets::Facets,
};

/// A section heading before the first film of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub id: String,
    pub label: String,
    /// The label in words, if it is a symbol.
    pub spoken: String,
}

/// A jump link.
pub struct JumpLink {
    pub label: String,
    pub spoken: String,
    pub href: String,
}

/// Inserts a section heading before the first film of each group on this page.
pub fn insert_sections(films: &mut [Film<'_>], movies: &[Movie], sort: &Sort) {
    let mut last = None;
    let mut count = 0;
    for (film, movie) in films.iter_mut().zip(movies) {
        let label = label(&first_key(sort).0.value_of(movie), sort);
        if label.is_some() && label != last {
            count += 1;
            film.post =
                label.clone().map(|(label, spoken)| Section { id: format!("at-{count}"), label, spoken });
            last = label;
        }
    }
}

/// Returns jump links if all films are on this page.
pub fn jump_links_on_page(films: &[Film<'_>]) -> Vec<JumpLink> {
    let posts = films.iter().filter_map(|film| film.post.clone());
    posts.map(|Section { id, label, spoken }| JumpLink { label, spoken, href: format!("#{id}") }).collect()
}

/// Returns jump links to headings on this page, or to the pages where their groups begin.
pub fn jump_links(
    first: &Address,
    films: &[Film<'_>],
    filter: &Filter,
    sort: &Sort,
    facets: &Facets,
) -> Vec<JumpLink> {
    // The group of the first heading may have begun on the previous page.
    let here: Vec<&Section> = films.iter().skip(1).filter_map(|film| film.post.as_ref()).collect();
    let (key, descending) = first_key(sort);
    let mut places = match key {
        SortKey::Title => letters(descending),
        SortKey::ReleaseYear => decades(filter.release_year, facets, descending),
        SortKey::Rating => within(&facets.rating, filter.rating).map(|(n, _)| KeyValue::Number(*n)).collect(),
        SortKey::MovieFormat => {
            let wanted = |format: &MovieFormat| {
                let any = filter.movie_formats.is_empty() || filter.movie_formats.contains(format);
                any && facets.movie_format.contains_key(format.as_str())
            };
            let formats = MovieFormat::ALL.into_iter().filter(wanted);
            formats.map(|format| KeyValue::Text(format.as_str().to_owned())).collect()
        }
        _ => Vec::new(),
    };
    if descending {
        places.reverse();
    }
    let jump = |place: KeyValue| {
        let (label, spoken) = label(&place, sort)?;
        let href = match here.iter().find(|post| post.label == label) {
            Some(post) => format!("#{}", post.id),
            None => first.with("cursor", &Cursor::before(place, sort).encode(sort)).to_string(),
        };
        Some(JumpLink { label, spoken, href })
    };
    places.into_iter().filter_map(jump).collect()
}

/// Returns where each letter begins: at the letter itself, or in descending order at its last word.
fn letters(descending: bool) -> Vec<KeyValue> {
    // Signs sort before digits.
    let mut places: Vec<String> =
        std::iter::once(String::new()).chain(('a'..='z').map(String::from)).collect();
    if descending {
        "9".clone_into(&mut places[0]);
        for place in &mut places {
            place.push(char::MAX);
        }
    }
    places.into_iter().map(KeyValue::Text).collect()
}

fn decades(bounds: Bounds, facets: &Facets, descending: bool) -> Vec<KeyValue> {
    let mut decades: Vec<i64> =
        within(&facets.release_year, bounds).map(|(year, _)| year / 10 * 10).collect();
    decades.dedup();
    decades.into_iter().map(|decade| KeyValue::Number(if descending { decade + 9 } else { decade })).collect()
}

/// Returns the counts of the values within the bounds.
pub fn within(
    counts: &std::collections::BTreeMap<i64, i64>,
    bounds: Bounds,
) -> impl Iterator<Item = (&i64, &i64)> {
    counts.range(bounds.min.unwrap_or(i64::MIN)..=bounds.max.unwrap_or(i64::MAX))
}

fn first_key(sort: &Sort) -> (SortKey, bool) {
    sort.keys().first().copied().unwrap_or((SortKey::Id, false))
}

/// Returns the label of a group, as written and in words.
fn label(value: &KeyValue, sort: &Sort) -> Option<(String, String)> {
    let same = |label: String| Some((label.clone(), label));
    match (first_key(sort).0, value) {
        (SortKey::Title, KeyValue::Text(text)) => match text.chars().next() {
            None | Some('0'..='9') => same("0–9".to_owned()),
            Some(letter) => same(letter.to_uppercase().to_string()),
        },
        (SortKey::ReleaseYear, KeyValue::Number(year)) => same(format!("{}s", year / 10 * 10)),
        (SortKey::Rating, KeyValue::Number(rating)) => {
            let stars = "★".repeat(usize::try_from(*rating).unwrap_or_default());
            Some((stars, format::stars_in_words(*rating)))
        }
        (SortKey::MovieFormat, KeyValue::Text(format)) => same(format.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sort_key;

    #[test]
    fn titles_stand_under_the_letter_they_are_sorted_by() {
        let of = |title| label(&KeyValue::Text(sort_key(title)), &Sort::parse("title").unwrap()).unwrap().0;
        let labels = ["The Matrix", "8½", "?!", "Éclair", "الرسالة", "a"].map(of);
        assert_eq!(labels, ["M", "0–9", "?", "E", "ا", "A"]);
    }
}
