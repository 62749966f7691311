//! Statistics, compared with the list.

use std::collections::BTreeMap;

use reelshelf::{
    domain::Time,
    http::Settings,
    service::{Owner, history},
};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{
        Service,
        films::{csv, fill, films},
        movie,
    },
};

/// Computes the statistics of movies naively.
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
        let known = movies.iter().filter(|movie| movie[name] != 0).count(); // a length of 0 is unknown
        let [sum, count] =
            [sum(name), i64::try_from(known).unwrap()].map(|n| f64::from(i32::try_from(n).unwrap()));
        if known == 0 { Value::Null } else { json!((sum / count * 100.0).round() / 100.0) }
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
        service.add("Of unknown length", "VHS", 0, 2001, 1).await;
        for query in [
            "length=0", "length=0..10", "q=unknown",
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

/// Checks the statistics of an instance against its list.
async fn counts_what_it_lists(instance: &Service, after: &str) {
    for query in ["", "?rating=3..&movieFormat=DVD"] {
        let list = instance.get(&format!("/movie{query}")).await.json();
        let list = list.as_array().unwrap();
        let stats = instance.get(&format!("/stats{query}")).await;
        assert_eq!((stats.status, stats.json()), (200, reference(list)), "{after}: {query}");
        let and = if query.is_empty() { "?" } else { "&" };
        let total = instance.get(&format!("/movie{query}{and}limit=1&total=true")).await;
        assert_eq!(total.header("x-total-count"), list.len().to_string(), "{after}: {query}");
    }
}

on_both! {
    async fn every_instance_counts_what_any_of_them_changed(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        let check = async |after: &str| {
            counts_what_it_lists(service, after).await;
            counts_what_it_lists(&other, after).await;
        };
        check("nothing").await;
        service.add("Heat", "DVD", 170, 1995, 5).await;
        check("the first film").await;
        fill(&other, &films(60)).await;
        check("an import").await;
        service.patch("/movie/1", &json!({"rating": 1, "movieFormat": "VHS"})).await;
        other.patch("/movie/1", &json!({"length": 171})).await;
        service.patch("/movie/2", &json!({"title": "Another title"})).await;
        check("updates").await;
        other.delete("/movie/3").await;
        check("a deletion").await;
        let operations = json!([
            {"op": "create", "movie": movie("Ran", "DVD", 160, 1985, 4)},
            {"op": "update", "id": 5, "changes": {"releaseYear": 2001}},
            {"op": "delete", "id": 6},
        ]);
        let batch = service.post("/movie/batch", &json!({"operations": operations})).await.json();
        check("a batch").await;
        assert_eq!(other.post(&format!("/history/{}/undo", batch["change"]), &json!({})).await.status, 200);
        check("its undo").await;
        let many = other.import("text/csv", "", csv(6000)).await.json();
        check("a large import").await;
        assert_eq!(service.post(&format!("/history/{}/undo", many["change"]), &json!({})).await.status, 200);
        check("a large undo").await;
        service.pass_millis(1000);
        history::prune(&service.app, &Owner::console(), service.app.now()).await.unwrap();
        check("a history without changes").await;
        service.add("Ikiru", "VHS", 143, 1952, 5).await;
        history::prune(&service.app, &Owner::console(), Time::from_millis(0)).await.unwrap();
        check("a film after that").await;
    }
}

on_both! {
    async fn counts_are_right_while_others_write(service: &Service) {
        let other = service.another_instance(Settings::default()).await;
        let writing = async |instance: &Service, from: i64| {
            for n in from..from + 40 {
                instance.add("Film", "DVD", n, 1990 + n % 7, 1 + n % 5).await;
                let total = instance.get("/movie?limit=1&total=true").await;
                let total: i64 = total.header("x-total-count").parse().unwrap();
                assert!(total > n - from, "one's own films are counted: {total}");
            }
        };
        tokio::join!(writing(service, 0), writing(&other, 100), writing(service, 200), writing(&other, 300));
        counts_what_it_lists(service, "all").await;
        counts_what_it_lists(&other, "all").await;
    }
}
