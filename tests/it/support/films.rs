//! Test movies, by a pattern or random.

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use reelshelf::domain::Title;
use serde_json::Value;

use super::{Service, movie};

/// The attributes of a movie, in the order of output.
pub const ATTRIBUTES: [&str; 5] = ["title", "movieFormat", "length", "releaseYear", "rating"];

/// Creates different movies, many of which share a value of each attribute.
pub fn films(count: i64) -> Vec<Value> {
    (0..count)
        .map(|n| {
            let of = |names: &[&'static str]| names[usize::try_from(n).expect("a count") % names.len()];
            let word = of(&["Alien", "älien", "Zodiac", "2 Fast", "10 Things", "…Éclair", "الرسالة"]);
            let title = format!("{}{word} {}", of(&["", "The ", "a ", "An "]), n / 3);
            let format = of(&["DVD", "VHS", "Streaming"]);
            movie(&title, format, n * 7 % 501, 1800 + n * 11 % 301, 1 + n * 3 % 5)
        })
        .collect()
}

/// Formats movies as NDJSON.
pub fn ndjson(movies: &[Value]) -> String {
    movies.iter().flat_map(|movie| [movie.to_string(), "\n".to_owned()]).collect()
}

/// Creates a CSV file of different movies.
pub fn csv(count: usize) -> String {
    let rows = (0..count).map(|n| format!("Film {n},DVD,90,2000,3\n"));
    let header = "title,movieFormat,length,releaseYear,rating\n".to_owned();
    std::iter::once(header).chain(rows).collect::<Vec<_>>().concat()
}

/// Imports movies, including duplicates.
pub async fn fill(service: &Service, movies: &[Value]) {
    let answer = service.import("application/x-ndjson", "?onDuplicate=add", ndjson(movies)).await;
    assert_eq!((answer.status, &answer.json()["created"]), (200, &Value::from(movies.len())), "{answer:?}");
}

/// Deletes all movies and the history.
pub async fn empty(service: &Service) {
    service
        .database
        .execute("DELETE FROM movie_rows; DELETE FROM movie_versions; DELETE FROM changes")
        .await
        .expect("an empty collection");
}

/// Returns the five attributes of a movie.
pub fn attributes_of(movie: &Value) -> Value {
    ATTRIBUTES
        .iter()
        .map(|name| ((*name).to_owned(), movie[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Generates any movie: with similar titles, and with unusual ones.
pub fn any_movie() -> impl Strategy<Value = Value> {
    let resembling = (
        select(vec!["", "The ", "A ", "the "]),
        select(vec!["Heat", "HÉAT", "Alien", "Amélie", "L'Avventura", "20,000 Leagues"]),
        select(vec!["", " 2", " 10", " 02", "!", " (Part \"One\"; final, cut)"]),
    );
    let odd = proptest::collection::vec(any::<char>(), 1..16).prop_filter_map("no title", |chars| {
        let text: String = chars.into_iter().filter(|c| !c.is_control()).collect();
        Title::parse(&text).ok().map(|title| title.as_str().to_owned())
    });
    let title = prop_oneof![2 => resembling.prop_map(|(a, b, c)| format!("{a}{b}{c}")), 1 => odd];
    let format = select(vec!["DVD", "VHS", "Streaming"]);
    let number = |few: &'static [i64], least: i64, most: i64| prop_oneof![select(few), least..=most];
    (title, format, number(&[0, 90, 500], 0, 500), number(&[1800, 1995, 2100], 1800, 2100), 1i64..=5)
        .prop_map(|(title, format, length, year, rating)| movie(&title, format, length, year, rating))
}

/// Checks a property with random values: proptest around an async test on several threads.
pub fn holds<S: Strategy>(cases: u32, values: S, law: impl AsyncFn(S::Value)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&values, |value| {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(law(value)));
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}
