//! Statistics, compared with the list that they are about.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    on_both,
    support::films::{fill, films},
};

/// The statistics of a list of movies, as anybody would count them.
fn reference(movies: &[Value]) -> Value {
    let count = |of: &dyn Fn(&Value) -> String, always: &[&str]| {
        let mut counts: BTreeMap<String, i64> = always.iter().map(|name| ((*name).to_owned(), 0)).collect();
        for movie in movies {
            *counts.entry(of(movie)).or_default() += 1;
        }
        counts
    };
    let sum = |name: &str| movies.iter().map(|movie| movie[name].as_i64().unwrap()).sum::<i64>();
    let mean = |name: &str| {
        let [sum, count] =
            [sum(name), i64::try_from(movies.len()).unwrap()].map(|n| f64::from(i32::try_from(n).unwrap()));
        if movies.is_empty() { Value::Null } else { json!((sum / count * 100.0).round() / 100.0) }
    };
    json!({
        "movies": movies.len(),
        "totalLength": sum("length"),
        "meanLength": mean("length"),
        "meanRating": mean("rating"),
        "movieFormat": count(&|m| m["movieFormat"].as_str().unwrap().to_owned(), &["DVD", "Streaming", "VHS"]),
        "rating": count(&|m| m["rating"].to_string(), &["1", "2", "3", "4", "5"]),
        "releaseYear": count(&|m| m["releaseYear"].to_string(), &[]),
        "decade": count(&|m| format!("{}0", m["releaseYear"].as_i64().unwrap() / 10), &[]),
    })
}

on_both! {
    async fn the_statistics_are_those_of_the_list_with_the_same_filters(service: &Service) {
        fill(service, &films(500)).await;
        for query in [
            "", "movieFormat=DVD", "movieFormat=DVD&movieFormat=VHS&rating=4..", "rating=3", "length=..90",
            "releaseYear=1900..1909", "q=alien", "q=alien&rating=..2&length=100..", "releaseYear=1800&rating=1..1",
            "length=0..500",
        ] {
            let list = service.get(&format!("/movie?{query}")).await.json();
            let stats = service.get(&format!("/stats?{query}")).await;
            assert_eq!((stats.status, stats.json()), (200, reference(list.as_array().unwrap())), "{query}");
        }
    }
}

on_both! {
    async fn an_empty_collection_has_statistics_without_means(service: &Service) {
        for path in ["/stats", "/stats?rating=5&movieFormat=VHS"] {
            assert_eq!(service.get(path).await.json(), reference(&[]), "{path}");
        }
    }
}
