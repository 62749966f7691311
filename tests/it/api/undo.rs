//! Undo: its effects, its conflicts and its properties.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use proptest::{collection::vec, prelude::*};
use reqwest::Method;
use serde_json::{Value, json};

use super::history::{difference, effects, latest, undo, walk, writes};
use crate::{
    on_both,
    support::{
        Answer, Service,
        films::{any_movie, attributes_of, films, holds, ndjson},
    },
};

/// Returns the attributes of all movies by id.
async fn stored(service: &Service) -> BTreeMap<i64, Value> {
    let movies = service.get("/movie").await.json();
    let movies = movies.as_array().expect("a list").iter();
    movies.map(|movie| (movie["id"].as_i64().expect("an id"), attributes_of(movie))).collect()
}

/// Returns the conflicting changes of an error.
#[track_caller]
fn named(answer: &Answer) -> Value {
    answer.problem(409)["changes"].clone()
}

on_both! {
    async fn the_undo_of_any_change_is_a_change_that_can_be_undone(service: &Service) {
        for (kind, request) in writes(service) {
            let before = stored(service).await;
            Answer::of(request).await;
            let after = stored(service).await;
            let mut last = latest(service).await["id"].clone();
            for (turn, expected) in [&before, &after, &before, &after].into_iter().enumerate() {
                service.pass_millis(1000);
                let was = service.get("/movie").await.json();
                let answer = undo(service, &last).await;
                assert_eq!(answer.status, 200, "{kind}: {answer:?}");
                let done = answer.json();
                assert_eq!(&stored(service).await, expected, "{kind} {turn}");
                assert_eq!((&done["kind"], &done["undoes"]), (&json!("undo"), &last));
                assert_eq!(done["effects"], json!(difference(&was, &service.get("/movie").await.json())));
                assert_eq!(service.get(&format!("/history/{last}")).await.json()["undoneBy"], done["id"]);
                assert_eq!(named(&undo(service, &last).await), json!([done["id"]]), "{kind}: only once");
                assert_eq!(&stored(service).await, expected, "{kind} {turn}");
                last = done["id"].clone();
            }
        }
    }
}

on_both! {
    async fn a_deleted_movie_comes_back_as_what_it_was(service: &Service) {
        let created = service.add("Amélie", "DVD", 122, 2001, 4).await;
        service.patch("/movie/1", &json!({"rating": 5})).await;
        service.pass_millis(1000);
        service.delete("/movie/1").await;
        service.pass_millis(1000);
        assert_eq!(undo(service, &json!(3)).await.status, 200);
        let back = service.get("/movie/1").await;
        let expected = json!({
            "id": 1, "title": "Amélie", "movieFormat": "DVD", "length": 122, "releaseYear": 2001, "rating": 5,
            "version": 4, "createdAt": created["createdAt"], "updatedAt": "2026-11-23T20:15:02.123Z",
        });
        assert_eq!((back.json(), back.header("etag")), (expected, "\"4\""));
        assert_eq!(service.titles("/movie?q=amelie").await, ["Amélie"]);
        let late = service.request(Method::PATCH, "/movie/1").header("if-match", "\"2\"").json(&json!({"rating": 1}));
        Answer::of(late).await.problem(412);
        let known = service.request(Method::PATCH, "/movie/1").header("if-match", "\"4\"").json(&json!({"rating": 1}));
        assert_eq!(Answer::of(known).await.json()["version"], 5);
        assert_eq!(service.add("Heat", "DVD", 170, 1995, 5).await["id"], 2, "no id is used twice");

        service.delete("/movie/1").await;
        service.pass_millis(-60_000);
        let deletion = latest(service).await["id"].clone();
        let back = undo(service, &deletion).await.json()["effects"][0]["after"].clone();
        assert_eq!((&back["version"], &back["updatedAt"]), (&json!(7), &json!("2026-11-23T20:15:02.123Z")));
    }
}

on_both! {
    async fn a_title_that_is_taken_back_is_found_again(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &json!({"title": "Zodiac"})).await;
        undo(service, &json!(2)).await;
        assert_eq!(service.titles("/movie?q=heat").await, ["Heat"]);
        assert_eq!(service.titles("/movie?q=zodiac").await, Vec::<String>::new());
        undo(service, &json!(1)).await;
        assert_eq!(service.titles("/movie?q=heat").await, Vec::<String>::new());
    }
}

on_both! {
    async fn later_changes_stand_in_the_way_until_they_are_undone(service: &Service) {
        let last = async || latest(service).await["id"].clone();
        service.add("Heat", "DVD", 170, 1995, 1).await;
        let create = last().await;
        let mut updates = Vec::new();
        for rating in [2, 3] {
            service.patch("/movie/1", &json!({"rating": rating})).await;
            updates.push(last().await);
        }
        service.add("Alien", "DVD", 117, 1979, 5).await; // another movie is in nobody's way
        let rating = async || service.get("/movie/1").await.json()["rating"].clone();
        assert_eq!(named(&undo(service, &create).await), json!(updates));
        assert_eq!(named(&undo(service, &updates[0]).await), json!([updates[1]]));
        assert_eq!(rating().await, 3);

        let undone = undo(service, &updates[1]).await.json()["id"].clone();
        assert_eq!(rating().await, 2);
        assert_eq!(named(&undo(service, &create).await), json!([updates[0]]), "a change and its undo do nothing together");
        let redone = undo(service, &undone).await.json()["id"].clone();
        assert_eq!(rating().await, 3);
        assert_eq!(named(&undo(service, &updates[0]).await), json!([redone]), "what was redone is undone by its redo");
        for (change, expected) in [(&redone, 2), (&updates[0], 1)] {
            let answer = undo(service, change).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(rating().await, expected);
        }
        service.delete("/movie/1").await;
        let delete = last().await;
        assert_eq!(named(&undo(service, &create).await), json!([delete]));
        assert_eq!(undo(service, &delete).await.status, 200);
        assert_eq!(undo(service, &create).await.status, 200);
        assert_eq!(stored(service).await.into_keys().collect::<Vec<_>>(), [2]);
    }
}

on_both! {
    async fn a_change_of_many_movies_is_undone_whole_or_not_at_all(service: &Service) {
        let films = films(1_200);
        service.import("application/x-ndjson", "?onDuplicate=add", ndjson(&films)).await;
        service.patch("/movie/1150", &json!({"title": "Heat"})).await;
        let before = (service.get("/movie").await.text, service.get("/history").await.text);
        assert_eq!(named(&undo(service, &json!(1)).await), json!([2]));
        assert_eq!((service.get("/movie").await.text, service.get("/history").await.text), before);
        let many: Vec<Value> = (1..=150).map(|n| json!({"rating": 1 + n % 5, "length": n})).collect();
        for (n, changes) in many.iter().enumerate() {
            service.patch(&format!("/movie/{}", n + 1), changes).await;
        }
        let refusal = named(&undo(service, &json!(1)).await);
        let mut refusal = refusal.as_array().expect("changes").iter().map(|id| id.as_i64().expect("an id"));
        assert_eq!((refusal.len(), refusal.next()), (100, Some(2)), "the first hundred are named");
        assert!(refusal.is_sorted());
    }
}

on_both! {
    async fn an_import_of_thousands_is_undone_and_done_again(service: &Service) {
        let films = films(3_000);
        let import = async |films: &[Value]| {
            let answer = service.import("application/x-ndjson", "?onDuplicate=update", ndjson(films)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()["change"].clone()
        };
        let first = import(&films).await;
        let imported = stored(service).await;
        assert_eq!(imported.len(), 3_000);
        let longer: Vec<Value> = films[..2_000].iter().map(|film| {
            let mut film = film.clone();
            film["length"] = json!(film["length"].as_i64().expect("minutes") / 2);
            film
        }).collect();
        let second = import(&longer).await;
        let updated = stored(service).await;
        assert_ne!(updated, imported);
        let mut done = Vec::new();
        for (change, expected) in [(&second, &imported), (&first, &BTreeMap::new())] {
            let answer = undo(service, change).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(&stored(service).await, expected);
            assert_eq!(answer.json()["effects"].as_array().map(Vec::len), Some(10), "the first of them");
            let whole = effects(service, &answer.json()["id"]).await;
            assert_eq!(answer.json()["movies"], whole.len());
            done.push(answer.json()["id"].clone());
        }
        assert_eq!(service.titles("/movie?q=alien").await.len(), 0);
        for (change, expected) in [(&done[1], &imported), (&done[0], &updated)] {
            assert_eq!(undo(service, change).await.status, 200);
            assert_eq!(&stored(service).await, expected);
        }
        let found = service.titles("/movie?q=zodiac").await;
        assert_eq!(found.len(), imported.values().filter(|film| film["title"].as_str().expect("a title").contains("Zodiac")).count());
    }
}

on_both! {
    async fn of_undos_at_the_same_time_exactly_one_is_done(service: &Service) {
        for _ in 0..20 {
            let id = service.add("Heat", "DVD", 170, 1995, 5).await["id"].clone();
            let change = latest(service).await["id"].clone();
            let answers = join_all((0..4).map(|_| undo(service, &change))).await;
            let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(done.len(), 1, "{done:?} {refused:?}");
            for refusal in refused {
                assert_eq!(named(&refusal), json!([done[0].json()["id"]]), "{refusal:?}");
            }
            service.get(&format!("/movie/{id}")).await.problem(404);
        }
    }
}

on_both! {
    async fn neither_an_undo_nor_what_comes_meanwhile_is_lost(service: &Service) {
        let [mut done, mut refused] = [0, 0];
        for round in 0..40 {
            let path = format!("/movie/{}", service.add("Heat", "DVD", 170, 1995, 1).await["id"]);
            service.patch(&path, &json!({"rating": 2})).await;
            let update = latest(service).await["id"].clone();
            if round % 2 == 1 {
                // A later change that was undone: the movie bears no longer the mark of the first.
                service.patch(&path, &json!({"rating": 3})).await;
                let later = latest(service).await["id"].clone();
                assert_eq!(undo(service, &later).await.status, 200);
            }
            let length = json!({"length": round});
            let (undone, patched) = tokio::join!(undo(service, &update), service.patch(&path, &length));
            assert_eq!(patched.status, 200, "{patched:?}");
            let movie = service.get(&path).await.json();
            assert_eq!(movie["length"], round, "{movie}");
            if undone.status == 200 {
                done += 1;
                assert_eq!(movie["rating"], 1, "{movie}");
            } else {
                refused += 1;
                let newest = service.get(&format!("{path}/history?limit=1")).await.json()[0]["id"].clone();
                assert_eq!((named(&undone), &movie["rating"]), (json!([newest]), &json!(2)));
            }
        }
        assert_eq!(done + refused, 40);
        for round in 0..20 {
            let path = format!("/movie/{}", service.add("Heat", "DVD", 170, 1995, 1).await["id"]);
            let create = latest(service).await["id"].clone();
            let length = json!({"length": round});
            let (undone, patched) = tokio::join!(undo(service, &create), service.patch(&path, &length));
            let after = service.get(&path).await;
            match (undone.status, patched.status) {
                (200, 404) => assert_eq!(after.status, 404),
                (409, 200) => assert_eq!(after.json()["length"], round),
                other => panic!("{other:?}: {undone:?} {patched:?}"),
            }
        }
    }
}

/// A step of a random test; a number selects an existing movie or change.
#[derive(Debug, Clone)]
enum Step {
    Create(Value),
    Update(usize, Value),
    Delete(usize),
    Import(Vec<Value>, &'static str),
    Batch(Vec<Step>),
    Undo(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let changes = || {
        (any_movie(), vec(any::<bool>(), 5)).prop_map(|(movie, given)| {
            let members = movie.as_object().expect("an object").clone().into_iter();
            members.zip(given).filter_map(|(member, given)| given.then_some(member)).collect::<Value>()
        })
    };
    let single = move || {
        prop_oneof![
            any_movie().prop_map(Step::Create),
            (any::<usize>(), changes()).prop_map(|(pick, changes)| Step::Update(pick, changes)),
            any::<usize>().prop_map(Step::Delete),
        ]
    };
    let import = (vec(any_movie(), 1..6), proptest::sample::select(vec!["skip", "add", "update"]));
    prop_oneof![
        4 => single(),
        1 => import.prop_map(|(films, on_duplicate)| Step::Import(films, on_duplicate)),
        2 => vec(single(), 0..6).prop_map(Step::Batch),
        3 => any::<usize>().prop_map(Step::Undo),
    ]
}

/// Returns one of the ids, or one that never existed.
fn pick(ids: &[Value], n: usize) -> Value {
    if ids.is_empty() { json!(i64::MAX) } else { ids[n % ids.len()].clone() }
}

fn ids(items: &Value) -> Vec<Value> {
    items.as_array().expect("a list").iter().map(|item| item["id"].clone()).collect()
}

/// Runs a step. Returns the status of the response.
async fn take(service: &Service, step: &Step) -> u16 {
    let movies = ids(&service.get("/movie").await.json());
    let operation = |step: &Step| match step {
        Step::Create(movie) => json!({"op": "create", "movie": movie}),
        Step::Update(n, changes) => json!({"op": "update", "id": pick(&movies, *n), "changes": changes}),
        Step::Delete(n) => json!({"op": "delete", "id": pick(&movies, *n)}),
        other => unreachable!("{other:?} is no operation of a batch"),
    };
    match step {
        Step::Create(movie) => service.post("/movie", movie).await.status,
        Step::Update(n, changes) => {
            service.patch(&format!("/movie/{}", pick(&movies, *n)), changes).await.status
        }
        Step::Delete(n) => service.delete(&format!("/movie/{}", pick(&movies, *n))).await.status,
        Step::Import(films, on_duplicate) => {
            let options = format!("?onDuplicate={on_duplicate}");
            service.import("application/x-ndjson", &options, ndjson(films)).await.status
        }
        Step::Batch(steps) => {
            let operations: Value = steps.iter().map(operation).collect();
            service.post("/movie/batch", &json!({"operations": operations})).await.status
        }
        Step::Undo(n) => {
            let changes = ids(&service.get("/history?limit=1000").await.json());
            undo(service, &pick(&changes, *n)).await.status
        }
    }
}

/// Deletes all movies and changes.
async fn reset(service: &Service) {
    let tables = ["movie_rows", "movie_versions", "changes"];
    let sql: String = tables.map(|table| format!("DELETE FROM {table};")).concat();
    service.database.execute(&sql).await.expect("nothing is left");
}

/// Checks that the effects of all changes, in order, result in the collection.
async fn replay(service: &Service) {
    let mut now: BTreeMap<i64, Value> = BTreeMap::new();
    let mut versions: HashMap<i64, i64> = HashMap::new();
    let mut changes = walk(service, "/history?limit=7").await;
    changes.reverse();
    for change in &changes {
        let effects = effects(service, &change["id"]).await;
        assert_eq!((&change["movies"], effects.is_empty()), (&json!(effects.len()), false), "{change}");
        for effect in effects {
            let id = effect["movieId"].as_i64().expect("an id");
            let before = now.remove(&id).unwrap_or(Value::Null);
            assert_eq!(effect["before"], before, "{change}");
            let version = versions.entry(id).or_default();
            if let Some(after) = effect["after"].as_object() {
                let step = if before.is_null() && *version > 0 { 2 } else { 1 }; // it comes back: one was its deletion
                *version += step;
                assert_eq!((&after["id"], &after["version"]), (&json!(id), &json!(*version)), "{change}");
                now.insert(id, effect["after"].clone());
            } else {
                assert!(before.is_object(), "{change}");
            }
        }
    }
    assert_eq!(service.get("/movie").await.json(), now.into_values().collect::<Value>());
}

/// Returns the newest effective change: neither undone, nor an undo without a remaining effect.
fn newest_in_force(changes: &[Value]) -> Option<Value> {
    let undoes: HashMap<i64, i64> = changes
        .iter()
        .filter_map(|change| Some((change["id"].as_i64()?, change["undoes"].as_i64()?)))
        .collect();
    let in_force = |change: &&Value| {
        let chain = std::iter::successors(change["id"].as_i64(), |id| undoes.get(id).copied());
        change["undoneBy"].is_null() && chain.count() % 2 == 1
    };
    changes.iter().find(in_force).map(|change| change["id"].clone())
}

on_both! {
    async fn whatever_was_done_can_be_told_and_taken_back(service: &Service) {
        holds(24, vec((any_step(), any::<bool>()), 1..16), async |steps| {
            reset(service).await;
            for (step, and_back) in &steps {
                let before = (service.get("/movie").await.text, latest(service).await);
                let status = take(service, step).await;
                assert!([200, 201, 204, 404, 409].contains(&status), "{status}: {step:?}");
                if status >= 400 {
                    assert_eq!((service.get("/movie").await.text, latest(service).await), before, "{step:?}");
                    continue;
                }
                let last = latest(service).await;
                if last["id"] == before.1["id"] {
                    assert_eq!(service.get("/movie").await.text, before.0, "{step:?}");
                    continue;
                }
                if !and_back {
                    continue;
                }
                // Undo and redo restore the states before.
                let after = stored(service).await;
                let undone = undo(service, &last["id"]).await;
                assert_eq!(undone.status, 200, "{step:?}: {undone:?}");
                let was: Value = serde_json::from_str(&before.0).expect("a list");
                let was: Vec<Value> = was.as_array().expect("a list").iter().map(attributes_of).collect();
                assert_eq!(stored(service).await.into_values().collect::<Vec<_>>(), was, "{step:?}");
                assert_eq!(undo(service, &undone.json()["id"]).await.status, 200, "{step:?}");
                assert_eq!(stored(service).await, after, "{step:?}");
            }
            replay(service).await;
            while let Some(newest) = newest_in_force(&walk(service, "/history?limit=1000").await) {
                let answer = undo(service, &newest).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
            assert_eq!(service.get("/movie").await.text, "[]\n");
            replay(service).await;
        });
    }
}
