//! Create, read, change, delete; versions and preconditions.

use futures_util::{StreamExt, future::join_all, stream};
use reelshelf::limits::MAX_DATABASE_WRITE_CONNECTIONS;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, Service, movie},
};

on_both! {
    async fn a_movie_is_created_read_changed_and_deleted(service: &Service) {
        let created = service.post("/movie", &movie("  Heat ", "DVD", 170, 1995, 5)).await;
        assert_eq!(created.status, 201);
        assert_eq!(created.header("location"), "/movie/1");
        assert_eq!(created.header("etag"), "\"1\"");
        let expected = json!({
            "id": 1, "title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5,
            "version": 1, "createdAt": "2026-11-23T20:15:00.123Z", "updatedAt": "2026-11-23T20:15:00.123Z",
        });
        assert_eq!(created.json(), expected);
        assert_eq!(service.get("/movie/1").await.json(), expected);

        service.pass_millis(1000);
        let changed = service.patch("/movie/1", &json!({"rating": 4})).await;
        assert_eq!(changed.status, 200);
        assert_eq!(changed.header("etag"), "\"2\"");
        assert_eq!(changed.json()["rating"], 4);
        assert_eq!(changed.json()["updatedAt"], "2026-11-23T20:15:01.123Z");

        assert_eq!(service.delete("/movie/1").await.status, 204);
        service.get("/movie/1").await.problem(404);
        service.delete("/movie/1").await.problem(404);
        assert_eq!(service.add("Alien", "VHS", 117, 1979, 5).await["id"], 2, "no id is used twice");
    }
}

/// Values at the limits and just beyond them.
fn limits() -> Vec<(&'static str, Value, bool)> {
    let text = |c: &str, n| json!(c.repeat(n));
    vec![
        ("title", json!(""), false),
        ("title", json!(" \t\u{2003}\n"), false),
        ("title", json!("x"), true),
        ("title", text("x", 50), true),
        ("title", text("x", 51), false),
        ("title", text("😀", 50), true),
        ("title", text("😀", 51), false),
        ("title", text("e\u{301}", 50), true), // 100 characters that NFC makes into 50
        ("title", text("e\u{301}", 51), false),
        ("title", text("ﷺ", 50), true), // of which the sort key is eleven times as long
        ("title", json!(format!(" {}\u{a0}", "x".repeat(50))), true),
        ("title", json!("a\u{0}b"), false),
        ("title", json!("a\nb"), false),
        ("title", json!("a\u{7f}b"), false),
        ("title", json!("a\u{9f}b"), false),
        ("title", json!("a\u{a0}b"), true),
        ("title", json!("a\u{202e}b"), false), // reads backwards
        ("title", json!("a\u{2028}b"), false),
        ("title", json!("\u{202b}שלום\u{202c} \u{200f}!"), true),
        ("movieFormat", json!("VHS"), true),
        ("movieFormat", json!("DVD"), true),
        ("movieFormat", json!("Streaming"), true),
        ("movieFormat", json!("dvd"), false),
        ("movieFormat", json!("DVD "), false),
        ("movieFormat", json!("Blu-ray"), false),
        ("length", json!(-1), false),
        ("length", json!(0), true),
        ("length", json!(500), true),
        ("length", json!(501), false),
        ("releaseYear", json!(1799), false),
        ("releaseYear", json!(1800), true),
        ("releaseYear", json!(2100), true),
        ("releaseYear", json!(2101), false),
        ("rating", json!(0), false),
        ("rating", json!(1), true),
        ("rating", json!(5), true),
        ("rating", json!(6), false),
    ]
}

on_both! {
    async fn every_limit_holds_on_both_sides(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 3).await;
        let mut stored = 1;
        for (field, value, valid) in limits() {
            let mut whole = movie("Heat", "DVD", 170, 1995, 3);
            whole[field] = value.clone();
            let created = service.post("/movie", &whole).await;
            let changed = service.patch("/movie/1", &json!({field: value})).await;
            if valid {
                stored += 1;
                assert_eq!((created.status, changed.status), (201, 200), "{field} {value}: {created:?}");
                assert_eq!(created.json()[field], changed.json()[field], "{field} {value}");
                let read = service.get(created.header("location")).await;
                assert_eq!(read.json(), created.json());
            } else {
                let pointer = [format!("/{field}")];
                assert_eq!(created.places(422), pointer, "{field} {value}");
                assert_eq!(changed.places(422), pointer, "{field} {value}");
            }
        }
        let list = service.get("/movie?total=true").await;
        assert_eq!(list.header("x-total-count"), stored.to_string());
    }
}

on_both! {
    async fn a_title_is_stored_normalised_and_trimmed(service: &Service) {
        let created = service.add("\u{2003}Ame\u{301}lie \u{a0}", "DVD", 122, 2001, 5).await;
        assert_eq!(created["title"], "Amélie");
        assert_eq!(service.titles("/movie").await, ["Amélie"]);
    }
}

on_both! {
    async fn every_change_counts_the_version_up_and_no_other(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let before = service.get("/movie/1").await.json();
        service.pass_millis(1000);
        for nothing in [json!({}), json!({"rating": 5}), json!({"title": " Heat ", "length": 170.0})] {
            let answer = service.patch("/movie/1", &nothing).await;
            assert_eq!((answer.status, answer.json()), (200, before.clone()), "{nothing}");
            assert_eq!(answer.header("etag"), "\"1\"");
        }
        for (version, changes) in
            [(2, json!({"rating": 4})), (3, json!({"title": "Heat 2", "movieFormat": "VHS"})), (4, json!({"rating": 5}))]
        {
            let answer = service.patch("/movie/1", &changes).await;
            assert_eq!(answer.header("etag"), format!("\"{version}\""));
            assert_eq!(answer.json()["version"], version);
            assert_eq!(answer.json()["createdAt"], before["createdAt"]);
            assert_eq!(service.get("/movie/1").await.json(), answer.json());
        }
    }
}

on_both! {
    async fn the_time_of_a_change_never_goes_back_with_the_clock(service: &Service) {
        let created = service.add("Heat", "DVD", 170, 1995, 5).await;
        service.pass_millis(-60_000);
        let changed = service.patch("/movie/1", &json!({"rating": 1})).await.json();
        assert_eq!(changed["updatedAt"], created["updatedAt"]);
    }
}

on_both! {
    async fn a_merge_patch_is_taken_as_well_as_json(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 1).await;
        for (rating, media_type) in
            [(2, "application/json"), (3, "application/merge-patch+json"), (4, "Application/JSON; charset=utf-8")]
        {
            let request = service.request(Method::PATCH, "/movie/1").header("content-type", media_type);
            let answer = Answer::of(request.body(format!("{{\"rating\": {rating}}}"))).await;
            assert_eq!((answer.status, &answer.json()["rating"]), (200, &json!(rating)), "{media_type}");
        }
    }
}

async fn conditional(service: &Service, method: Method, header: &str, tags: &str) -> Answer {
    let request = service.request(method.clone(), "/movie/1").header(header, tags);
    let with_body = method == Method::PATCH;
    Answer::of(if with_body { request.json(&json!({"rating": 1})) } else { request }).await
}

on_both! {
    async fn patch_with_a_stale_etag_changes_nothing(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &json!({"rating": 4})).await;
        let before = service.get("/movie/1").await.json();
        for stale in ["\"1\"", "\"3\"", "W/\"2\"", "\"1\", \"3\"", "\"x\"", "\"02\"", "\"+2\"", "\"\"", "\" 2\""] {
            for method in [Method::PATCH, Method::DELETE] {
                let answer = conditional(service, method, "if-match", stale).await;
                answer.problem(412);
                assert_eq!(answer.header("etag"), "\"2\"", "{stale}");
            }
        }
        for malformed in ["2", "\"2", "", "\"2\" \"3\"", "2\""] {
            for method in [Method::PATCH, Method::DELETE] {
                conditional(service, method, "if-match", malformed).await.problem(400);
            }
        }
        // The same for `If-None-Match` of a change, by weak comparison (RFC 9110, section 13.1.2).
        for known in ["\"2\"", "*", "W/\"2\"", "\"7\",\"2\"", ",\"2\","] {
            for method in [Method::PATCH, Method::DELETE] {
                conditional(service, method, "if-none-match", known).await.problem(412);
            }
        }
        assert_eq!(service.get("/movie/1").await.json(), before);
        conditional(service, Method::GET, "if-match", "\"1\"").await.problem(412);
        assert_eq!(conditional(service, Method::GET, "if-match", "\"1\", \"2\"").await.status, 200);
        assert_eq!(conditional(service, Method::PATCH, "if-none-match", "\"1\"").await.status, 200);
    }
}

on_both! {
    async fn a_change_is_made_when_an_etag_matches(service: &Service) {
        for (version, tags) in [(1, "\"1\""), (2, "\"1\", \"2\",\"7\""), (3, "*"), (4, "W/\"9\", \"4\"")] {
            if version == 1 {
                service.add("Heat", "DVD", 170, 1995, 5).await;
            }
            let request = service.request(Method::PATCH, "/movie/1").header("if-match", tags);
            let answer = Answer::of(request.json(&json!({"length": version}))).await;
            assert_eq!((answer.status, answer.header("etag")), (200, &*format!("\"{}\"", version + 1)), "{tags}");
        }
        assert_eq!(conditional(service, Method::DELETE, "if-match", "\"5\"").await.status, 204);
        conditional(service, Method::PATCH, "if-match", "*").await.problem(404);
        conditional(service, Method::DELETE, "if-match", "*").await.problem(404);
    }
}

on_both! {
    async fn a_known_movie_is_not_sent_again(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for method in [Method::GET, Method::HEAD] {
            for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
                let answer = conditional(service, method.clone(), "if-none-match", known).await;
                assert_eq!((answer.status, &*answer.text, answer.header("etag")), (304, "", "\"1\""), "{known}");
            }
            for unknown in ["\"2\"", "W/\"2\"", "\"01\""] {
                let answer = conditional(service, method.clone(), "if-none-match", unknown).await;
                assert_eq!((answer.status, answer.header("etag")), (200, "\"1\""), "{unknown}");
            }
        }
        conditional(service, Method::GET, "if-none-match", "1").await.problem(400);
    }
}

on_both! {
    async fn of_two_that_change_the_same_version_one_is_refused(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let change = async |length: i64| {
            let request = service.request(Method::PATCH, "/movie/1").header("if-match", "\"1\"");
            Answer::of(request.json(&json!({"length": length}))).await.status
        };
        let mut statuses = join_all((1..=8).map(change)).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
        assert_eq!(service.get("/movie/1").await.json()["version"], 2);
    }
}

on_both! {
    async fn changes_without_a_precondition_all_land(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let (one, other) = (json!({"rating": 1}), json!({"title": "Heat 2"}));
        let answers = tokio::join!(service.patch("/movie/1", &one), service.patch("/movie/1", &other));
        assert_eq!((answers.0.status, answers.1.status), (200, 200));
        let now = service.get("/movie/1").await.json();
        assert_eq!((&now["rating"], &now["title"], &now["version"]), (&json!(1), &json!("Heat 2"), &json!(3)));

        let lengths = join_all((1..=40).map(async |length| {
            service.patch("/movie/1", &json!({"length": length})).await.json()["version"].as_i64().unwrap()
        }));
        let mut versions = lengths.await;
        versions.sort_unstable();
        assert!(versions.iter().copied().eq(4..=43), "each change has a version of its own: {versions:?}");
    }
}

on_both! {
    async fn of_many_that_delete_the_same_movie_one_does(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let mut statuses = join_all((0..8).map(async |_| service.delete("/movie/1").await.status)).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404, 404, 404, 404, 404, 404]);
    }
}

on_both! {
    async fn many_creates_at_once_get_ids_of_their_own(service: &Service) {
        let titles: Vec<String> = (0..100).map(|n| format!("Film {n}")).collect();
        // As many as write at once. More of them would wait, on a slow machine too long.
        let adds = titles.iter().map(|title| service.add(title, "DVD", 90, 2000, 3));
        let created: Vec<_> = stream::iter(adds).buffered(MAX_DATABASE_WRITE_CONNECTIONS).collect().await;
        let mut ids: Vec<i64> = created.iter().map(|movie| movie["id"].as_i64().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 100);
        for movie in created {
            assert_eq!(service.get(&format!("/movie/{}", movie["id"])).await.json(), movie);
        }
    }
}

on_both! {
    async fn an_id_is_not_used_again_though_the_newest_movies_are_gone(service: &Service) {
        for _ in 0..3 {
            service.add("Heat", "DVD", 170, 1995, 5).await;
        }
        for id in 1..=3 {
            assert_eq!(service.delete(&format!("/movie/{id}")).await.status, 204);
        }
        let next = service.add("Heat", "DVD", 170, 1995, 5).await["id"].as_i64().unwrap();
        assert!(next > 3, "{next}");
    }
}

on_both! {
    async fn a_random_pick_fits_the_filters_and_leaves_none_out(service: &Service) {
        service.get("/movie/random").await.problem(404);
        for (n, format) in (0..).zip(["DVD", "VHS", "DVD", "Streaming", "DVD"]) {
            service.add(&format!("Film {n}"), format, 90, 2000 + n, 3).await;
        }
        let mut picked = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let answer = service.get("/movie/random?movieFormat=DVD").await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
            assert_eq!(answer.header("etag"), "\"1\"");
            picked.insert(answer.json()["id"].as_i64().unwrap());
        }
        // That one of three is missing after 200 picks happens once in 10^35.
        assert_eq!(picked, [1, 3, 5].into());
        assert_eq!(service.get("/movie/random?q=fil&releaseYear=2003").await.json()["id"], 4);
        service.get("/movie/random?releaseYear=2005").await.problem(404);
        service.get("/movie/random?movieFormat=VHS&rating=4..").await.problem(404);
        assert_eq!(service.get("/movie/random?sort=title").await.places(400), ["sort"]);
    }
}

on_both! {
    async fn a_random_pick_finds_the_few_that_are_left_of_many(service: &Service) {
        use crate::support::films::{fill, films};

        fill(service, &films(3000)).await;
        let gone: Vec<_> = (1..3000).filter(|id| *id != 1 && *id != 1700).collect();
        for ids in gone.chunks(1000) {
            let operations: Vec<_> = ids.iter().map(|id| json!({ "op": "delete", "id": id })).collect();
            let answer = service.post("/movie/batch", &json!({ "operations": operations })).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let mut picked = std::collections::BTreeSet::new();
        for _ in 0..100 {
            picked.insert(service.get("/movie/random").await.json()["id"].as_i64().unwrap());
        }
        assert_eq!(picked, [1, 1700, 3000].into());
    }
}
