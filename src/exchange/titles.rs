//! Titles in library notation, as MovieLens writes them: `Matrix, The (1999)`.

use crate::domain::ReleaseYear;

/// Articles that may follow a title, so that it is sorted by its next word.
const ARTICLES: [&str; 27] = [
    "The", "A", "An", "Le", "La", "Les", "L'", "L’", "Un", "Une", "Il", "Lo", "I", "Gli", "Der", "Die",
    "Das", "Ein", "Eine", "El", "Los", "Las", "De", "Het", "Den", "Det", "Una",
];

/// Splits a title and the year in parentheses at its end.
pub(super) fn year_at_end(title: &str) -> Option<(&str, i64)> {
    let (before, year) = title.strip_suffix(')')?.rsplit_once('(')?;
    let before = before.trim_end();
    let digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let year = year.parse().ok().filter(|year| digits && ReleaseYear::try_from(*year).is_ok())?;
    (!before.is_empty()).then_some((before, year))
}

/// Moves a trailing article to the front, and removes second titles in parentheses if requested. Returns
/// `None` if nothing changes.
pub(super) fn spoken(title: &str, without_second: bool) -> Option<String> {
    let mut first = title;
    while let Some(before) = before_parentheses(first) {
        first = before;
    }
    let behind = &title[first.len()..];
    // `Birdman: Or (The Unexpected Virtue of Ignorance)` is a single title.
    let goes_on = first.rsplit(' ').next().is_some_and(|word| word.eq_ignore_ascii_case("or"));
    let behind = if without_second && !goes_on { "" } else { behind };
    let turned = article_in_front(first).unwrap_or_else(|| first.to_owned()) + behind;
    (turned != title).then_some(turned)
}

/// Returns the text before the trailing parentheses.
fn before_parentheses(title: &str) -> Option<&str> {
    let mut depth = 0;
    let inside = title.strip_suffix(')')?;
    let (opening, _) = inside.char_indices().rev().find(|(_, character)| {
        match character {
            ')' => depth += 1,
            '(' if depth == 0 => return true,
            '(' => depth -= 1,
            _ => {}
        }
        false
    })?;
    let before = title[..opening].trim_end();
    (!before.is_empty()).then_some(before)
}

fn article_in_front(title: &str) -> Option<String> {
    let (rest, last) = title.rsplit_once(',')?;
    let last = last.trim();
    let article = ARTICLES.iter().any(|article| article.eq_ignore_ascii_case(last));
    let blank = if last.ends_with(['\'', '’']) { "" } else { " " };
    (article && !rest.trim().is_empty()).then(|| format!("{last}{blank}{}", rest.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_article_goes_in_front() {
        for (written, expected) in [
            ("Matrix, The", "The Matrix"),
            ("matrix,  the", "the matrix"),
            ("Avventura, L'", "L'Avventura"),
            ("Misérables, Les", "Les Misérables"),
            ("Boot, Das", "Das Boot"),
            ("Beautiful Mind, A", "A Beautiful Mind"),
            ("Good, the Bad and the Ugly, The", "The Good, the Bad and the Ugly"),
            ("Lord of the Rings: The Two Towers, The", "The Lord of the Rings: The Two Towers"),
            ("City of Lost Children, The (Cité des enfants perdus, La)", "The City of Lost Children"),
            ("Trou, Le (Hole, The) (Night Watch, The)", "Le Trou"),
            ("Seven (a.k.a. Se7en)", "Seven"),
            ("Odd (One (in another))", "Odd"),
        ] {
            assert_eq!(spoken(written, true).as_deref(), Some(expected), "{written:?}");
        }
        for written in [
            "Heat",
            "I, Tonya",
            ", The",
            "(500) Days of Summer",
            "(Untitled)",
            "Me, Myself & Irene",
            "Odd)",
            "Girls, Girls",
            "Birdman: Or (The Unexpected Virtue of Ignorance)",
            "",
            ")",
            "()",
        ] {
            assert_eq!(spoken(written, true), None, "{written:?}");
        }
        assert_eq!(
            spoken("Matrix, The (Director's Cut)", false).as_deref(),
            Some("The Matrix (Director's Cut)")
        );
        assert_eq!(spoken("Brazil (Director's Cut)", false), None);
    }

    #[test]
    fn a_year_stands_at_the_end_in_parentheses() {
        assert_eq!(year_at_end("Matrix, The (1999)"), Some(("Matrix, The", 1999)));
        assert_eq!(year_at_end("1984(1956)"), Some(("1984", 1956)));
        assert_eq!(
            (year_at_end("X (1800)"), year_at_end("X (2100)")),
            (Some(("X", 1800)), Some(("X", 2100)))
        );
        for without in [
            "Heat",
            "(1999)",
            "X (1799)",
            "X (2101)",
            "X (95)",
            "X (+995)",
            "X (2007-)",
            "X (1999) Y",
            "1999",
        ] {
            assert_eq!(year_at_end(without), None, "{without:?}");
        }
    }
}
