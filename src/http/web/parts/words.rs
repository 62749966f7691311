//! Formats ranges, titles and changes within sentences.

use crate::{
    documents::Change,
    domain::{Bounds, ChangeKind, Movie},
    format,
};

/// Formats a range: each bound by `one`, an open upper bound by `up`.
pub fn range(bounds: Bounds, up: &str, one: impl Fn(i64) -> String) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) if min == max => one(min),
        (Some(min), Some(max)) => format!("{} to {}", one(min), one(max)),
        (Some(min), None) => format!("{} {up}", one(min)),
        (None, Some(max)) => format!("up to {}", one(max)),
        (None, None) => "any".to_owned(),
    }
}

/// Formats a title within a sentence.
pub fn title(movie: &Movie) -> String {
    format!("“\u{2068}{}\u{2069}”", movie.attributes.title.as_str())
}

/// Describes a change, without a full stop.
pub fn change(change: &Change) -> String {
    if let (1, [effect]) = (change.movies, change.effects.as_slice()) {
        return match (&effect.before, &effect.after, change.kind.known()) {
            (None, Some(film), Some(ChangeKind::Undo)) => format!("Brought back {}", title(film)),
            (Some(film), None, Some(ChangeKind::Undo)) => format!("Took away {} again", title(film)),
            (_, Some(film), Some(ChangeKind::Undo)) => format!("{} is as it was", title(film)),
            (None, Some(film), _) => format!("Added {}", title(film)),
            (Some(film), None, _) => format!("Deleted {}", title(film)),
            (_, Some(film), _) => format!("Changed {}", title(film)),
            (None, None, _) => "Changed 1 film".to_owned(),
        };
    }
    let films = format::films(change.movies);
    match change.kind.known() {
        Some(ChangeKind::Create) => format!("Added {films}"),
        Some(ChangeKind::Update) | None => format!("Changed {films}"),
        Some(ChangeKind::Delete) => format!("Deleted {films}"),
        Some(ChangeKind::Import) => format!("Imported {films}"),
        Some(ChangeKind::Batch) => format!("Changed {films} in one go"),
        Some(ChangeKind::Undo) => format!("Undid a change of {films}"),
        Some(ChangeKind::Restore) => format!("Restored {films}"),
    }
}

/// Returns the label of the button that undoes a change of this many films.
pub fn undo(films: impl TryInto<u64>) -> String {
    let films = films.try_into().unwrap_or_default();
    if films == 1 { "Undo".to_owned() } else { format!("Undo all {}", format::number(films)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_well() {
        let bounds = |min, max| range(Bounds { min, max }, "and up", format::stars_in_words);
        assert_eq!(bounds(Some(4), None), "4 stars and up");
        assert_eq!(bounds(None, Some(1)), "up to 1 star");
        assert_eq!(bounds(Some(2), Some(3)), "2 stars to 3 stars");
        assert_eq!(bounds(Some(5), Some(5)), "5 stars");
    }
}
