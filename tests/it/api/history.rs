//! The history: what every write leaves behind, and how it is read.

use reelshelf::{
    domain::{Role, Time},
    service::{Owner, history},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::list::next;
use crate::{
    on_both,
    support::{
        Answer, PASSWORD, START, Service,
        films::{fill, films},
        movie,
    },
};

/// All items of a list that comes in pages, walked from an address on.
pub async fn walk(service: &Service, first: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut address = Some(first.to_owned());
    while let Some(path) = address {
        let page = service.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        address = next(&page);
        items.extend(page.json().as_array().expect("a list").clone());
    }
    items
}

/// All effects of a change, walked in pages.
pub async fn effects(service: &Service, change: &Value) -> Vec<Value> {
    let mut effects = Vec::new();
    let mut address = Some(format!("/history/{change}?limit=1000"));
    while let Some(path) = address {
        let page = service.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        address = next(&page);
        effects.extend(page.json()["effects"].as_array().expect("effects").clone());
    }
    effects
}

/// The latest change.
pub async fn latest(service: &Service) -> Value {
    service.get("/history?limit=1").await.json()[0].clone()
}

/// How many changes there are.
async fn count(service: &Service) -> String {
    service.get("/history?limit=1&total=true").await.header("x-total-count").to_owned()
}

pub async fn undo(service: &Service, change: &Value) -> Answer {
    Answer::of(service.request(Method::POST, &format!("/history/{change}/undo"))).await
}

/// The effects that make one collection of another, by movie id.
pub fn difference(before: &Value, after: &Value) -> Vec<Value> {
    let all = |movies: &Value| movies.as_array().expect("a list").clone();
    let find =
        |movies: &[Value], id: i64| movies.iter().find(|m| m["id"] == id).cloned().unwrap_or(Value::Null);
    let (before, after) = (all(before), all(after));
    let mut ids: Vec<i64> = before.iter().chain(&after).map(|m| m["id"].as_i64().expect("an id")).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .map(|id| json!({"movieId": id, "before": find(&before, id), "after": find(&after, id)}))
        .filter(|effect| effect["before"] != effect["after"])
        .collect()
}

/// A request that imports rows.
fn file(service: &Service, options: &str, rows: &str) -> RequestBuilder {
    let csv = format!("title,movieFormat,length,releaseYear,rating\n{rows}");
    service.request(Method::POST, &format!("/movie{options}")).header("content-type", "text/csv").body(csv)
}

/// A write of each kind, each on what those before it left in an empty collection.
pub fn writes(service: &Service) -> Vec<(&'static str, RequestBuilder)> {
    let operations = json!({"operations": [
        {"op": "update", "id": 1, "changes": {"title": "Aliens", "length": 137}},
        {"op": "create", "movie": movie("Stalker", "VHS", 162, 1979, 5)},
        {"op": "delete", "id": 3},
        {"op": "update", "id": 1, "changes": {"rating": 2}},
    ]});
    vec![
        ("create", service.request(Method::POST, "/movie").json(&movie("Alien", "DVD", 117, 1979, 4))),
        ("update", service.request(Method::PATCH, "/movie/1").json(&json!({"rating": 5}))),
        ("import", file(service, "", "Heat,DVD,170,1995,5\nZodiac,VHS,157,2007,4\n")),
        (
            "import",
            file(
                service,
                "?onDuplicate=update",
                "Heat,DVD,171,1995,3\nPersona,DVD,83,1966,4\nHeat,DVD,172,1995,3\n",
            ),
        ),
        ("batch", service.request(Method::POST, "/movie/batch").json(&operations)),
        ("delete", service.request(Method::DELETE, "/movie/2")),
    ]
}

on_both! {
    async fn every_write_leaves_exactly_one_change(service: &Service) {
        let mut steps = writes(service);
        for change in [6, 7, 1] { // a delete, an undo, and one with others in its way
            steps.push(("undo", service.request(Method::POST, &format!("/history/{change}/undo"))));
        }
        let last = steps.pop().expect("a step").1;
        for (done, (kind, request)) in steps.into_iter().enumerate() {
            service.pass_millis(1000);
            let before = service.get("/movie").await.json();
            let answer = Answer::of(request).await;
            assert!(answer.status < 300, "{kind}: {answer:?}");
            let effects = difference(&before, &service.get("/movie").await.json());
            let undoes = match kind {
                "undo" => json!(done),
                _ => Value::Null,
            };
            let at = Time::from_millis(START + 1000 * (1 + i64::try_from(done).expect("a count")));
            let expected = json!({
                "id": done + 1, "at": at, "by": "owner", "via": "token test", "kind": kind,
                "movies": effects.len(), "effects": effects, "undoes": undoes, "undoneBy": null,
            });
            assert_eq!(latest(service).await, expected);
            assert_eq!(service.get(&format!("/history/{}", done + 1)).await.json(), expected);
            assert_eq!(count(service).await, (done + 1).to_string(), "{kind}");
            if kind == "undo" {
                assert_eq!(answer.json(), expected);
                assert_eq!(service.get(&format!("/history/{done}")).await.json()["undoneBy"], done + 1);
            }
            if ["import", "batch"].contains(&kind) {
                assert_eq!(answer.json()["change"], done + 1);
            }
        }
        let before = service.get("/history").await.text;
        Answer::of(last).await.problem(409);
        assert_eq!(service.get("/history").await.text, before);
    }
}

on_both! {
    async fn what_stores_nothing_leaves_no_change(service: &Service) {
        for (_, request) in writes(service).into_iter().take(3) {
            Answer::of(request).await;
        }
        undo(service, &json!(2)).await;
        let before = (service.get("/history").await.text, service.get("/movie").await.text);
        service.pass_millis(1000);
        let patch = |body: Value| service.request(Method::PATCH, "/movie/1").json(&body);
        let batch = |operations: Value| service.request(Method::POST, "/movie/batch").json(&json!({"operations": operations}));
        let heat = "Heat,DVD,170,1995,5\n";
        for (what, request, status) in [
            ("the same values", patch(json!({"rating": 4})), 200),
            ("no values", patch(json!({})), 200),
            ("duplicates that are skipped", file(service, "", heat), 200),
            ("duplicates that are the same", file(service, "?onDuplicate=update", heat), 200),
            ("duplicates that are the same at last", file(service, "?onDuplicate=update", "Heat,DVD,1,1995,5\nHeat,DVD,170,1995,5\n"), 200),
            ("a trial", file(service, "?onDuplicate=update&dryRun=true", "Heat,DVD,1,1995,5\nTron,DVD,96,1982,3\n"), 200),
            ("an aborted import", file(service, "", "Tron,DVD,96,1982,3\nTron,DVD,96,1982,9\n"), 422),
            ("bad rows alone", file(service, "?onError=skip", "Tron,DVD,96,1982,9\n"), 200),
            ("an empty batch", batch(json!([])), 200),
            ("a batch that stopped", batch(json!([{"op": "delete", "id": 1}, {"op": "delete", "id": 99}])), 404),
            ("an invalid movie", service.request(Method::POST, "/movie").json(&json!({"title": "Tron"})), 422),
            ("an invalid value", patch(json!({"rating": 9})), 422),
            ("another version", patch(json!({"rating": 1})).header("if-match", "\"1\""), 412),
            ("another version", service.request(Method::DELETE, "/movie/1").header("if-match", "\"1\""), 412),
            ("no movie", service.request(Method::DELETE, "/movie/99"), 404),
            ("no right", service.request_as(&service.viewer, Method::DELETE, "/movie/1"), 403),
            ("no change", service.request(Method::POST, "/history/99/undo"), 404),
            ("the change that is next", service.request(Method::POST, "/history/5/undo"), 404),
            ("undone before", service.request(Method::POST, "/history/2/undo"), 409),
        ] {
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{what}: {answer:?}");
            let after = (service.get("/history").await.text, service.get("/movie").await.text);
            assert_eq!(after, before, "{what}");
        }
    }
}

on_both! {
    async fn a_change_tells_who_did_it_and_by_which_way_in(service: &Service) {
        let laptop = service.token_as(&service.editor, &json!({"name": "laptop"})).await;
        let olga = service.add_user("olga", Role::Editor).await;
        let session = service.session_of("editor").await;
        let (post, path) = (Method::POST, "/movie");
        for (request, by, via) in [
            (service.anonymous(post.clone(), path).basic_auth("editor", Some(PASSWORD)), "editor", "password"),
            (service.request_in(&session, post.clone(), path), "editor", "session"),
            (service.request_as(laptop["token"].as_str().expect("a token"), post.clone(), path), "editor", "token laptop"),
            (service.request_as(&olga, post, path), "olga", "token test"),
        ] {
            let answer = Answer::of(request.json(&movie("Heat", "DVD", 170, 1995, 5))).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            let change = latest(service).await;
            assert_eq!((&change["by"], &change["via"]), (&json!(by), &json!(via)));
        }
        assert_eq!(service.delete("/user/olga").await.status, 204);
        assert_eq!(latest(service).await["by"], "olga", "also when the user is gone");
    }
}

on_both! {
    async fn lists_come_in_pages(service: &Service) {
        let films: Vec<Value> = (1..=12).map(|n| json!({"op": "create", "movie": movie("Film", "DVD", n, 2000, 3)})).collect();
        service.post("/movie/batch", &json!({"operations": films})).await;
        for n in 1..=105 {
            service.patch("/movie/1", &json!({"length": 100 + n})).await;
        }
        let ids = |items: &[Value], name: &str| items.iter().map(|item| item[name].as_i64().expect("an id")).collect::<Vec<_>>();
        let all: Vec<i64> = (1..=106).rev().collect();
        let usual = service.get("/history?total=true").await;
        assert_eq!((usual.json().as_array().map(Vec::len), usual.header("x-total-count")), (Some(100), "106"));
        for path in ["/history", "/history?limit=1000", "/history?limit=7", "/history?limit=106", "/movie/1/history?limit=53", "/movie/1/history?limit=52"] {
            assert_eq!(ids(&walk(service, path).await, "id"), all, "{path}");
        }
        assert_eq!(service.get("/movie/1/history?total=true&limit=1").await.header("x-total-count"), "106");
        assert_eq!(service.get("/movie/2/history?total=true").await.header("x-total-count"), "1");

        let first = service.get("/history?limit=105").await;
        service.patch("/movie/2", &json!({"length": 1})).await;
        let second = service.get(&next(&first).expect("a next page")).await;
        assert_eq!(ids(second.json().as_array().expect("a list"), "id"), [1], "what comes meanwhile shifts nothing");
        assert_eq!(next(&second), None);

        let listed = &second.json()[0];
        assert_eq!((&listed["movies"], ids(listed["effects"].as_array().expect("effects"), "movieId")), (&json!(12), (1..=10).collect()));
        let page = service.get("/history/1?limit=5&total=true").await;
        assert_eq!((&page.json()["movies"], page.header("x-total-count")), (&json!(12), "12"));
        assert_eq!(ids(page.json()["effects"].as_array().expect("effects"), "movieId"), [1, 2, 3, 4, 5]);
        let page = service.get(&next(&page).expect("a next page")).await;
        assert_eq!(ids(page.json()["effects"].as_array().expect("effects"), "movieId"), [6, 7, 8, 9, 10]);
        let page = service.get(&next(&page).expect("a next page")).await;
        assert_eq!(ids(page.json()["effects"].as_array().expect("effects"), "movieId"), [11, 12]);
        assert_eq!(next(&page), None);
    }
}

on_both! {
    async fn a_bad_query_and_an_address_of_nothing_are_refused(service: &Service) {
        for (_, request) in writes(service) {
            Answer::of(request).await;
        }
        let of_the_list = service.get("/movie?limit=1").await;
        let foreign = next(&of_the_list).expect("a next page").split_once("cursor=").expect("a cursor").1.to_owned();
        for path in ["/history", "/history/1", "/movie/1/history"] {
            for (query, names) in [
                ("limit=0", &["limit"][..]),
                ("limit=1001", &["limit"]),
                ("limit=ten", &["limit"]),
                ("cursor=", &["cursor"]),
                ("cursor=7", &["cursor"]),
                ("cursor=%00", &["cursor"]),
                (&format!("cursor={foreign}"), &["cursor"]),
                ("total=1", &["total"]),
                ("sort=id&q=heat&limit=0", &["limit", "q", "sort"]),
            ] {
                assert_eq!(service.get(&format!("{path}?{query}")).await.places(400), names, "{path}?{query}");
            }
        }
        let with_a_query = service.request(Method::POST, "/history/6/undo?force=true");
        assert_eq!(Answer::of(with_a_query).await.places(400), ["force"]);
        for id in ["0", "-1", "+1", "99", "9223372036854775807", "9223372036854775808", "1.0", "x", "%201"] {
            service.get(&format!("/history/{id}")).await.problem(404);
            service.get(&format!("/movie/{id}/history")).await.problem(404);
            undo(service, &serde_json::from_str(id).unwrap_or(json!(0))).await.problem(404);
        }
    }
}

on_both! {
    async fn a_cursor_is_valid_only_for_its_list(service: &Service) {
        fill(service, &films(2)).await;
        let operations = |rating| json!({"operations": [
            {"op": "update", "id": 1, "changes": {"length": rating}}, {"op": "update", "id": 2, "changes": {"length": rating}}
        ]});
        for length in [499, 498] {
            assert_eq!(service.post("/movie/batch", &operations(length)).await.status, 200);
        }
        let lists = ["/history", "/history/1", "/history/2", "/movie/1/history", "/movie/2/history"];
        for of in lists {
            let page = service.get(&format!("{of}?limit=1")).await;
            let cursor = next(&page).expect("a next page").split_once("cursor=").expect("a cursor").1.to_owned();
            for path in lists {
                let answer = service.get(&format!("{path}?cursor={cursor}")).await;
                if path == of {
                    assert_eq!(answer.status, 200, "{of}: {answer:?}");
                } else {
                    assert_eq!(answer.places(400), ["cursor"], "{of} {path}");
                }
            }
            let pages = [("/changes?", "/history"), ("/changes/1?", "/history/1"), ("/changes?film=1&", "/movie/1/history")];
            for (page, list) in pages {
                let expected = if list == of { 200 } else { 400 };
                assert_eq!(service.get(&format!("{page}cursor={cursor}")).await.status, expected, "{of} {page}");
            }
        }
    }
}

on_both! {
    async fn a_movie_has_a_history_of_its_own_also_when_it_is_gone(service: &Service) {
        for (_, request) in writes(service) {
            Answer::of(request).await;
        }
        let done = async |id: i64| -> Vec<(String, bool, bool)> {
            let path = format!("/movie/{id}/history?limit=1");
            let changes = walk(service, &path).await;
            for change in &changes {
                let whole = effects(service, &change["id"]).await;
                let own: Vec<Value> = whole.iter().filter(|effect| effect["movieId"] == id).cloned().collect();
                assert_eq!(change["effects"], json!(own));
                assert_eq!(change["movies"], whole.len());
            }
            let is = |effect: &Value, name: &str| effect[name].is_object();
            let described = |change: &Value| {
                let effect = &change["effects"][0];
                (change["kind"].as_str().expect("a kind").to_owned(), is(effect, "before"), is(effect, "after"))
            };
            changes.iter().map(described).collect()
        };
        let described = |all: &[(&str, bool, bool)]| -> Vec<(String, bool, bool)> {
            all.iter().map(|(kind, before, after)| ((*kind).to_owned(), *before, *after)).collect()
        };
        assert_eq!(done(1).await, described(&[("batch", true, true), ("update", true, true), ("create", false, true)]));
        let deleted = [("delete", true, false), ("import", true, true), ("import", false, true)];
        assert_eq!(done(2).await, described(&deleted));
        assert_eq!(done(3).await, described(&[("batch", true, false), ("import", false, true)]));
        assert_eq!(undo(service, &json!(6)).await.status, 200);
        assert_eq!(done(2).await, described(&[&[("undo", false, true)][..], &deleted].concat()));
        assert_eq!(undo(service, &json!(7)).await.status, 200);
        assert_eq!(done(2).await, described(&[&[("undo", true, false), ("undo", false, true)][..], &deleted].concat()));
    }
}

on_both! {
    async fn old_changes_can_be_pruned_and_what_stays_is_whole(service: &Service) {
        let versions = async || -> i64 {
            let mut conn = service.app.db.read().await.expect("a connection");
            conn.query("SELECT count(*) FROM movie_versions", &[], |row| row.get(0)).await.expect("a count")[0]
        };
        let prune = async || history::prune(&service.app, &Owner::console(), service.app.now()).await.expect("pruned");
        for title in ["Alien", "Brazil", "Casino", "Duel"] {
            service.add(title, "DVD", 100, 1980, 1).await;
        }
        for rating in 2..=4 {
            service.patch("/movie/1", &json!({"rating": rating})).await;
        }
        service.delete("/movie/3").await;
        service.delete("/movie/4").await;
        undo(service, &json!(9)).await;
        assert_eq!(prune().await, 0, "none is older than now");
        service.pass_millis(1000);
        let then = service.get("/movie").await.json();
        service.patch("/movie/1", &json!({"rating": 5})).await;
        service.delete("/movie/2").await;
        service.patch("/movie/1", &json!({"title": "Aliens"})).await;
        let (now, kept) = (service.get("/movie").await.text, walk(service, "/history?limit=3").await[..3].to_vec());
        let own = walk(service, "/movie/1/history").await;

        let cut = Time::from_millis(START + 1000);
        assert_eq!(history::prune(&service.app, &Owner::console(), cut).await.expect("pruned"), 10);
        assert_eq!(service.get("/movie").await.text, now, "the collection stays as it is");
        assert_eq!(walk(service, "/history?limit=1").await, kept);
        assert_eq!(count(service).await, "3");
        assert_eq!(walk(service, "/movie/1/history?limit=1").await, own[..2]);
        let first = service.get("/movie/1/history?limit=2&total=true").await;
        assert_eq!((first.header("x-total-count"), next(&first)), ("2", None));
        assert_eq!(service.get("/movie/4/history").await.text, "[]\n", "it is there, but nobody knows since when");
        service.get("/movie/3/history").await.problem(404);
        service.get("/history/10").await.problem(404);
        undo(service, &json!(10)).await.problem(404);
        assert_eq!(versions().await, 4, "two before the present of one movie, and a deletion with the one before it");

        for change in [13, 12, 11] {
            let answer = undo(service, &json!(change)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let ratings = |movies: &Value| -> Vec<_> {
            movies.as_array().expect("a list").iter().map(|m| (m["id"].clone(), m["title"].clone(), m["rating"].clone())).collect()
        };
        let back = service.get("/movie").await.json();
        assert_eq!(ratings(&back), ratings(&then));
        service.pass_millis(1000);
        assert_eq!((prune().await, versions().await, count(service).await), (6, 0, "0".to_owned()));
        assert_eq!(service.get("/movie").await.json(), back);
        assert_eq!(service.patch("/movie/1", &json!({"rating": 1})).await.status, 200);
        assert!(latest(service).await["id"].as_i64() > Some(16), "no id is used twice");
    }
}
