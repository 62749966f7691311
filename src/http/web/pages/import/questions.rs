//! Questions about what a file lacks. Each has a default answer.

use super::choices::Choices;
use crate::{
    documents::{Choice, Source, TitleTooLong},
    domain::{Field, MovieFormat, Rating},
    exchange::Survey,
    format,
};

/// A select control: value, label, and whether it is selected.
pub struct Select {
    pub name: &'static str,
    pub label: &'static str,
    pub options: Vec<(&'static str, String, bool)>,
}

/// A question with answers as buttons.
pub struct Question {
    pub name: &'static str,
    pub text: String,
    pub answers: Vec<Answer>,
}

pub struct Answer {
    pub value: String,
    pub label: String,
    pub on: bool,
    /// The text field of the answer: name, value, and the text behind it.
    pub field: Option<(&'static str, String, &'static str)>,
}

/// Returns the questions about a file.
pub fn questions(survey: &Survey, choices: &Choices) -> Vec<Question> {
    let all = survey.films;
    let mut asked = Vec::new();
    let mut ask = |field: Field, text: &dyn Fn(u64) -> String, answers: Vec<Answer>| {
        let missing = survey.missing[field];
        if missing > 0 {
            asked.push(Question { name: control(field), text: text(missing), answers });
        }
    };
    let of = |missing: u64, every: &str, what: &str, [one, many]: [&str; 2]| match missing {
        1 if all > 1 => format!("1 film has no {what}. {one}"),
        missing if missing == all => every.to_owned(),
        missing => format!("{} have no {what}. {many}", format::films(missing)),
    };
    ask(
        Field::MovieFormat,
        &|missing| of(missing, "What are the films on?", "format", ["What is it on?", "What are they on?"]),
        formats(choices),
    );
    ask(
        Field::Length,
        &|missing| {
            of(missing, "How long are the films?", "length", ["How long is it?", "How long are they?"])
        },
        lengths(choices),
    );
    ask(
        Field::Rating,
        &|missing| {
            let asked =
                of(missing, "How good are the films?", "rating", ["How good is it?", "How good are they?"]);
            match choices.unused_ratings() {
                Some(column) => format!(
                    "The column “\u{2068}{column}\u{2069}” has no ratings that can be read, so it is not used. {asked}"
                ),
                None => asked,
            }
        },
        ratings(choices),
    );
    ask(
        Field::ReleaseYear,
        &|missing| {
            of(
                missing,
                "When did the films come out?",
                "year",
                ["When did it come out?", "When did they come out?"],
            )
        },
        years(choices),
    );
    if survey.long_titles > 0 {
        let titles = format::count(survey.long_titles, "title");
        let text = format!(
            "{titles} {} longer than 50 characters:",
            if survey.long_titles == 1 { "is" } else { "are" }
        );
        let answer = |choice: &TitleTooLong| {
            plain(choice.as_str(), choice.label().to_owned(), *choice == choices.title_too_long())
        };
        let answers = TitleTooLong::ALL.iter().rev().map(answer).collect(); // the page's default comes first
        asked.push(Question { name: TitleTooLong::NAME, text, answers });
    }
    asked
}

const fn control(field: Field) -> &'static str {
    match field {
        Field::Title => "default-title",
        Field::MovieFormat => "default-movieFormat",
        Field::Length => "default-length",
        Field::ReleaseYear => "default-releaseYear",
        Field::Rating => "default-rating",
    }
}

fn plain(value: &str, label: String, on: bool) -> Answer {
    Answer { value: value.to_owned(), label, on, field: None }
}

fn leave_out(on: bool) -> Answer {
    plain("", "reject".to_owned(), on)
}

fn formats(choices: &Choices) -> Vec<Answer> {
    let chosen = choices.answer(Field::MovieFormat);
    let format =
        |format: MovieFormat| plain(format.as_str(), format.as_str().to_owned(), format.as_str() == chosen);
    let formats = [MovieFormat::Dvd, MovieFormat::Vhs, MovieFormat::Streaming].map(format);
    formats.into_iter().chain([leave_out(chosen.is_empty())]).collect()
}

fn ratings(choices: &Choices) -> Vec<Answer> {
    let chosen = choices.answer(Field::Rating);
    let rating =
        |stars: i64| plain(&stars.to_string(), format::stars_in_words(stars), stars.to_string() == chosen);
    (Rating::MIN..=Rating::MAX).map(rating).chain([leave_out(chosen.is_empty())]).collect()
}

/// Returns an answer with a text field.
fn typed(field: Field, chosen: &str, others: &[&str], behind: &'static str) -> Answer {
    let name = match field {
        Field::Length => "each-length",
        _ => "each-releaseYear",
    };
    let on = !others.contains(&chosen);
    let value = if on { chosen.to_owned() } else { String::new() };
    Answer { value: "each".to_owned(), label: "all".to_owned(), on, field: Some((name, value, behind)) }
}

fn lengths(choices: &Choices) -> Vec<Answer> {
    let chosen = choices.answer(Field::Length);
    vec![
        plain("0", "unknown".to_owned(), chosen == "0"),
        typed(Field::Length, &chosen, &["0", ""], "minutes"),
        leave_out(chosen.is_empty()),
    ]
}

fn years(choices: &Choices) -> Vec<Answer> {
    let chosen = choices.answer(Field::ReleaseYear);
    vec![typed(Field::ReleaseYear, &chosen, &[""], ""), leave_out(chosen.is_empty())]
}

/// Describes the source, and what its files lack.
pub fn recognised(survey: &Survey, name: &str) -> String {
    let films = format::films(survey.films);
    let others = match survey.others {
        0 => String::new(),
        1 => ", and 1 row that is no film".to_owned(),
        others => format!(", and {} rows that are no films", format::number(others)),
    };
    match source_in_words(survey.source) {
        Some(source) => format!("This is from {source}: {films}{others}."),
        None => format!("\u{2068}{name}\u{2069}: {films}{others}."),
    }
}

fn source_in_words(source: Source) -> Option<&'static str> {
    match source {
        Source::Auto | Source::Reelshelf => None,
        Source::Letterboxd => Some("Letterboxd"),
        Source::Imdb => Some("IMDb"),
        Source::Movielens => Some("MovieLens"),
        Source::Tellico => Some("Tellico"),
        Source::Clz => Some("CLZ Movies"),
        Source::Libib => Some("Libib"),
    }
}
