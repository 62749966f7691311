//! Batches: several operations that succeed or fail together.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{
        Answer, Service,
        films::{attributes_of, films},
        movie,
    },
};

async fn batch(service: &Service, operations: &Value) -> Answer {
    service.post("/movie/batch", &json!({"operations": operations})).await
}

fn heat() -> Value {
    movie("Heat", "DVD", 170, 1995, 5)
}

/// Returns all movies and the number of changes.
async fn state(service: &Service) -> (String, String) {
    let history = service.get("/history?limit=1&total=true").await;
    (service.get("/movie").await.text, history.header("x-total-count").to_owned())
}

on_both! {
    async fn operations_are_done_in_order_as_one_change(service: &Service) {
        service.add("Alien", "VHS", 117, 1979, 3).await;
        service.add("Zodiac", "DVD", 157, 2007, 4).await;
        service.pass_millis(1000);
        let operations = json!([
            {"op": "create", "movie": heat()},
            {"op": "update", "id": 1, "version": 1, "changes": {"title": " Aliens ", "rating": 4}},
            {"op": "delete", "id": 2, "version": 1},
        ]);
        let answer = batch(service, &operations).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let (then, now) = ("2026-11-23T20:15:00.123Z", "2026-11-23T20:15:01.123Z");
        let heat = json!({
            "id": 3, "title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5,
            "version": 1, "createdAt": now, "updatedAt": now,
        });
        let aliens = json!({
            "id": 1, "title": "Aliens", "movieFormat": "VHS", "length": 117, "releaseYear": 1979, "rating": 4,
            "version": 2, "createdAt": then, "updatedAt": now,
        });
        let results = json!([{"movie": heat}, {"movie": aliens}, {}]);
        assert_eq!(answer.json(), json!({"change": 3, "results": results}));
        assert_eq!(service.get("/movie").await.json(), json!([aliens, heat]));
        assert_eq!(service.titles("/movie?q=aliens").await, ["Aliens"]);
        assert_eq!(service.titles("/movie?q=zodiac").await, Vec::<String>::new());
    }
}

on_both! {
    async fn an_operation_sees_what_those_before_it_left(service: &Service) {
        let updated = |changes: Value| json!({"op": "update", "id": 1, "changes": changes});
        let deleted = json!({"op": "delete", "id": 1});
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let twice = json!([updated(json!({"rating": 4})), {"op": "update", "id": 1, "version": 2, "changes": {"length": 1}}]);
        let answer = batch(service, &twice).await.json();
        let seen: Vec<_> = answer["results"].as_array().expect("results").iter().map(|result| &result["movie"]).collect();
        assert_eq!([&seen[0]["rating"], &seen[0]["length"], &seen[0]["version"]], [4, 170, 2]);
        assert_eq!([&seen[1]["rating"], &seen[1]["length"], &seen[1]["version"]], [4, 1, 2]);
        assert_eq!(&service.get("/movie/1").await.json(), seen[1]);

        for (operations, status, place) in [
            (json!([updated(json!({"rating": 1})), {"op": "delete", "id": 1, "version": 2}]), 412, "/operations/1/version"),
            (json!([deleted, updated(json!({"rating": 1}))]), 404, "/operations/1/id"),
            (json!([deleted, updated(json!({})), deleted]), 404, "/operations/1/id"),
            (json!([updated(json!({})), deleted, deleted]), 404, "/operations/2/id"),
        ] {
            let before = state(service).await;
            assert_eq!(batch(service, &operations).await.places(status), [place], "{operations}");
            assert_eq!(state(service).await, before, "{operations}");
        }
        let and_gone = batch(service, &json!([updated(json!({"rating": 1})), deleted])).await;
        assert_eq!((and_gone.status, &and_gone.json()["results"][1]), (200, &json!({})));
        assert_eq!(service.get("/movie").await.text, "[]\n");
        let change = service.get(&format!("/history/{}", and_gone.json()["change"])).await.json();
        assert_eq!(change["effects"][0]["before"]["rating"], 4, "{change}");
    }
}

on_both! {
    async fn a_movie_made_by_the_batch_can_be_named_like_any_other(service: &Service) {
        let id = service.add("Alien", "VHS", 117, 1979, 3).await["id"].as_i64().expect("an id") + 1;
        let made = json!({"op": "create", "movie": heat()});
        let change = json!({"op": "update", "id": id, "version": 1, "changes": {"rating": 1}});
        let answer = batch(service, &json!([made, change, made, {"op": "delete", "id": id + 1}])).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let stored = service.get(&format!("/movie/{id}")).await.json();
        assert_eq!((&stored, &stored["version"], &stored["rating"]), (&answer.json()["results"][1]["movie"], &json!(1), &json!(1)));
        let change = service.get(&format!("/history/{}", answer.json()["change"])).await.json();
        assert_eq!((&change["movies"], &change["effects"][0]["after"]), (&json!(1), &stored), "what came and went was never there");
        service.get(&format!("/movie/{}/history", id + 1)).await.problem(404);

        let before = state(service).await;
        let came_and_went = batch(service, &json!([made, {"op": "delete", "id": id + 2}])).await;
        assert_eq!((came_and_went.status, &came_and_went.json()["change"]), (200, &Value::Null), "{came_and_went:?}");
        assert_eq!(state(service).await, before);
    }
}

on_both! {
    async fn what_changes_nothing_leaves_no_change(service: &Service) {
        let heat = service.add("Heat", "DVD", 170, 1995, 5).await;
        service.pass_millis(1000);
        let before = state(service).await;
        let updates = |all: &[Value]| -> Value {
            all.iter().map(|changes| json!({"op": "update", "id": 1, "changes": changes})).collect()
        };
        assert_eq!(batch(service, &json!([])).await.text, "{\"change\":null,\"results\":[]}\n");
        for operations in [
            updates(&[json!({})]),
            updates(&[json!({"rating": 5, "title": " Heat "}), json!({"length": 170.0})]),
            updates(&[json!({"rating": 4}), json!({"title": "Zodiac"}), json!({"rating": 5, "title": "Heat"})]),
        ] {
            let answer = batch(service, &operations).await;
            assert_eq!((answer.status, &answer.json()["change"]), (200, &Value::Null), "{operations}");
            let results = answer.json()["results"].as_array().expect("results").clone();
            assert_eq!(results.last().expect("a result")["movie"], heat, "{operations}");
            assert_eq!(state(service).await, before, "{operations}");
        }
    }
}

on_both! {
    async fn every_violation_is_named_with_its_pointer_and_nothing_is_done(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let before = state(service).await;
        let good = json!({"op": "create", "movie": heat()});
        let bad_movie = movie("", "Blu-ray", 501, 1799, 6);
        for (operations, places) in [
            (json!({}), &[""][..]),
            (json!("create"), &[""]),
            (json!([good, 7, null, []]), &["/1", "/2", "/3"]),
            (json!([{}, {"op": null}, {"op": "Create"}, {"op": "upsert", "id": 1, "more": 1}]), &["/0/op", "/1/op", "/2/op", "/3/more", "/3/op"]),
            (json!([{"op": "create"}, {"op": "create", "movie": null}, {"op": "create", "movie": {}, "id": 1}]), &[
                "/0/movie", "/1/movie", "/2/id", "/2/movie/length", "/2/movie/movieFormat", "/2/movie/rating",
                "/2/movie/releaseYear", "/2/movie/title",
            ]),
            (json!([good, {"op": "create", "movie": bad_movie}]), &[
                "/1/movie/length", "/1/movie/movieFormat", "/1/movie/rating", "/1/movie/releaseYear", "/1/movie/title",
            ]),
            (json!([{"op": "update"}, {"op": "update", "id": "1", "version": 1.5, "changes": []}]), &[
                "/0/changes", "/0/id", "/1/changes", "/1/id", "/1/version",
            ]),
            (json!([{"op": "update", "id": 1, "changes": {"rating": "5", "id": 2, "a/b~": 1}, "movie": {}}]), &[
                "/0/changes/a~1b~0", "/0/changes/id", "/0/changes/rating", "/0/movie",
            ]),
            (json!([{"op": "delete"}, {"op": "delete", "id": 0}, {"op": "delete", "id": 1, "changes": {}}]), &["/0/id", "/1/id", "/2/changes"]),
            (json!([{"op": "delete", "id": 1, "version": 0}, {"op": "delete", "id": -1, "version": null}]), &["/0/version", "/1/id", "/1/version"]),
            (json!([{"op": "delete", "id": 9_223_372_036_854_775_808_u64}]), &["/0/id"]),
        ] {
            let expected: Vec<String> = places.iter().map(|place| format!("/operations{place}")).collect();
            assert_eq!(batch(service, &operations).await.places(422), expected, "{operations}");
        }
        for (body, places) in [
            ("[]", &[""][..]),
            ("{}", &["/operations"]),
            (r#"{"operations":[],"operations":[]}"#, &["/operations"]),
            (r#"{"operations":[],"dryRun":true}"#, &["/dryRun"]),
            (r#"{"operations":[{"op":"delete","op":"delete","id":1,"id":1}]}"#, &["/operations/0/id", "/operations/0/op"]),
            (r#"{"operations":[{"op":"create","movie":{},"movie":{}}]}"#, &["/operations/0/movie"]),
        ] {
            let request = service.request(Method::POST, "/movie/batch").header("content-type", "application/json");
            assert_eq!(Answer::of(request.body(body)).await.places(422), places, "{body}");
        }
        service.post("/movie/batch?dryRun=true", &json!({"operations": []})).await.problem(400);
        assert_eq!(state(service).await, before);
    }
}

on_both! {
    async fn a_movie_that_is_not_there_or_has_moved_on_stops_the_whole_batch(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &json!({"rating": 4})).await;
        let before = state(service).await;
        let good = json!({"op": "create", "movie": heat()});
        let update = |id: i64, version: i64| json!({"op": "update", "id": id, "version": version, "changes": {"rating": 1}});
        let delete = |id: i64, version: i64| json!({"op": "delete", "id": id, "version": version});
        for (operations, status, place) in [
            (json!([good, update(1, 1)]), 412, "/operations/1/version"),
            (json!([good, good, delete(1, 3)]), 412, "/operations/2/version"),
            (json!([delete(1, 2), good, {"op": "delete", "id": i64::MAX}]), 404, "/operations/2/id"),
            (json!([update(99, 1), update(1, 9)]), 404, "/operations/0/id"),
        ] {
            let answer = batch(service, &operations).await;
            assert_eq!(answer.places(status), [place], "{operations}");
            assert_eq!(answer.header("etag"), "", "{operations}");
            assert_eq!(state(service).await, before, "{operations}");
        }
        assert_eq!(batch(service, &json!([update(1, 2), delete(1, 3)])).await.status, 200);
    }
}

on_both! {
    async fn ten_thousand_operations_are_taken_and_one_more_is_not(service: &Service) {
        let create = |movie: Value| json!({"op": "create", "movie": movie});
        let operations: Vec<Value> = films(10_000).into_iter().map(create).collect();
        let answer = batch(service, &json!(operations)).await;
        assert_eq!(answer.status, 200, "{:.200}", answer.text);
        let results = answer.json()["results"].as_array().expect("results").clone();
        let made: Vec<Value> = results.iter().map(|result| result["movie"].clone()).collect();
        assert_eq!(made.iter().map(attributes_of).collect::<Vec<_>>(), films(10_000));
        assert_eq!(service.get("/movie").await.json(), json!(made));

        let update = |n: i64| json!({"op": "update", "id": n, "version": 1, "changes": {"title": format!("Film {n}")}});
        let updates: Value = (1..=10_000).map(update).collect();
        assert_eq!(batch(service, &updates).await.status, 200);
        assert_eq!(service.titles("/movie?q=film+777&sort=id").await[0], "Film 777");

        let mut deletes: Vec<Value> = (1..=10_000).map(|n| json!({"op": "delete", "id": n, "version": 2})).collect();
        deletes.push(create(heat()));
        assert_eq!(batch(service, &json!(deletes)).await.places(422), ["/operations"]);
        deletes.pop();
        assert_eq!(batch(service, &json!(deletes)).await.status, 200);
        assert_eq!(service.get("/movie").await.text, "[]\n");
    }
}

on_both! {
    async fn the_largest_batch_fits_however_its_texts_are_escaped(service: &Service) {
        let body = |escaped: &str| {
            let movie = format!(
                r#"{{"op": "create", "movie": {{"title": "{}", "movieFormat": "Streaming", "length": 100, "releaseYear": 2000, "rating": 5}}}}"#,
                escaped.repeat(50),
            );
            format!(r#"{{"operations": [{}]}}"#, vec![movie; 10_000].join(", "))
        };
        let send = async |body: String| {
            let request = service.request(Method::POST, "/movie/batch").header("content-type", "application/json");
            Answer::of(request.body(body)).await
        };
        let escaped = send(body(r"\ud83d\ude00")).await;
        assert_eq!((escaped.status, escaped.json()["results"].as_array().map(Vec::len)), (200, Some(10_000)));
        send("[".repeat((8 << 20) + 1)).await.problem(413);
        let many = send(r#"{"operations":["#.to_owned() + &vec!["7"; 9999].join(",") + "]}").await;
        assert_eq!(many.places(422).len(), 1000, "no more than help");
        let members = (0..100_000).map(|n| format!("\"m{n}\":1")).collect::<Vec<_>>().join(",");
        let many = send(format!(r#"{{"operations":[{{"op":"delete","id":1,{members}}}]}}"#)).await;
        assert_eq!(many.places(422).len(), 1000, "no more than help");
    }
}

on_both! {
    async fn batches_at_the_same_time_wait_for_one_another(service: &Service) {
        let made: Value = (0..20).map(|_| json!({"op": "create", "movie": heat()})).collect();
        batch(service, &made).await;
        // Each names all movies in a different order.
        let raised = |turn: usize| -> Value {
            let ids = (0..20).map(|n| if turn.is_multiple_of(2) { n + 1 } else { 20 - n });
            ids.map(|id| json!({"op": "update", "id": id, "changes": {"length": turn}})).collect()
        };
        let all: Vec<Value> = (0..8).map(raised).collect();
        let singles = async || {
            for id in 1..=20 {
                let answer = service.patch(&format!("/movie/{id}"), &json!({"rating": 1})).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        };
        let batches = futures_util::future::join_all(all.iter().map(|operations| batch(service, operations)));
        let (done, ()) = tokio::join!(batches, singles());
        for answer in done {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let movies = service.get("/movie").await.json();
        for movie in movies.as_array().expect("a list") {
            assert_eq!((&movie["version"], &movie["rating"]), (&json!(10), &json!(1)), "{movie}");
            assert_eq!(movie["length"], movies[0]["length"], "the last batch was done whole");
        }
    }
}
