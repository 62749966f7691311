//! Bulk edits of selected films.

use reqwest::Method;
use serde_json::{Value, json};

use super::{between, field, get_page, is_page, text, with_cookie};
use crate::{
    on_both,
    support::{Answer, Service, films, movie},
};

/// Submits the form as a user.
async fn send(service: &Service, name: &str, fields: &[(&str, &str)]) -> Answer {
    let session = service.session_of(name).await;
    Answer::of(request(service, &session, fields)).await
}

fn request(service: &Service, session: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = service.request_in(session, Method::POST, "/selection");
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// Returns the message on the page after the form.
async fn flash(service: &Service, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    let notice = answer.header("set-cookie").split(';').next().unwrap();
    let session = service.session_of("editor").await;
    let page =
        with_cookie(service, &format!("{session}; {notice}"), Method::GET, answer.header("location")).await;
    is_page(&page, 200);
    let messages = page.text.split_once("id=\"messages\"").unwrap().1;
    let sentence = between(messages, "<p>", "</p>")[0];
    text(&sentence.split('<').map(|piece| piece.rsplit('>').next().unwrap_or_default()).collect::<String>())
}

/// Returns the latest change: kind and number of modified movies.
async fn latest(service: &Service) -> (String, i64) {
    let change = service.get("/history?limit=1").await.json()[0].clone();
    (change["kind"].as_str().unwrap_or_default().to_owned(), change["movies"].as_i64().unwrap_or_default())
}

/// Undoes the latest change.
async fn undo(service: &Service) {
    let id = service.get("/history?limit=1").await.json()[0]["id"].clone();
    let answer = service.post(&format!("/history/{id}/undo"), &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Returns the attributes of all movies by id.
async fn stored(service: &Service) -> Vec<Value> {
    let movies = service.get("/movie").await.json();
    movies.as_array().unwrap().iter().map(films::attributes_of).collect()
}

async fn three(service: &Service) {
    service.add("Alien", "VHS", 117, 1979, 5).await;
    service.add("Brazil", "DVD", 132, 1985, 4).await;
    service.add("Casablanca", "DVD", 102, 1942, 5).await;
}

on_both! {
    async fn films_are_changed_alike_and_those_that_are_so_already_left_alone(service: &Service) {
        three(service).await;
        let before = stored(service).await;
        let fields = [("id", "1"), ("id", "2"), ("do", "change"), ("movieFormat", "DVD"), ("rating", ""), ("back", "/?view=table")];
        let answer = send(service, "editor", &fields).await;
        assert_eq!(answer.header("location"), "/?view=table");
        assert_eq!(flash(service, &answer).await, "Changed “\u{2068}Alien\u{2069}”.");
        assert_eq!(latest(service).await, ("update".to_owned(), 1));
        assert_eq!(service.get("/movie/2").await.json()["version"], 1);

        let fields = [("id", "1,2"), ("id", "3"), ("id", "1"), ("do", "change"), ("movieFormat", "Streaming"), ("rating", "5")];
        let answer = send(service, "editor", &fields).await;
        assert_eq!(answer.header("location"), "/");
        assert_eq!(flash(service, &answer).await, "Changed 3 films.");
        assert_eq!(latest(service).await, ("update".to_owned(), 3));
        for movie in stored(service).await {
            assert_eq!((&movie["movieFormat"], &movie["rating"]), (&json!("Streaming"), &json!(5)));
        }
        // Repeating the form changes nothing and creates no change; nor do empty fields.
        for fields in [&fields[..], &[("id", "1"), ("do", "change"), ("movieFormat", ""), ("rating", "")]] {
            let answer = send(service, "editor", fields).await;
            assert_eq!(flash(service, &answer).await, "Nothing was changed.");
        }
        assert_eq!(latest(service).await, ("update".to_owned(), 3));
        undo(service).await;
        service.patch("/movie/1", &json!({"movieFormat": "VHS"})).await;
        assert_eq!(stored(service).await, before);
    }
}

on_both! {
    async fn films_are_deleted_and_come_back(service: &Service) {
        three(service).await;
        let before = stored(service).await;
        let answer = send(service, "editor", &[("id", "1"), ("id", "3"), ("do", "delete")]).await;
        assert_eq!(flash(service, &answer).await, "Deleted 2 films.");
        assert_eq!(latest(service).await, ("delete".to_owned(), 2));
        assert_eq!(service.titles("/movie").await, ["Brazil"]);
        // Deleted films are reported.
        let answer = send(service, "editor", &[("id", "1"), ("id", "3"), ("do", "delete")]).await;
        assert_eq!(flash(service, &answer).await, "The films no longer exist.");
        let answer = send(service, "editor", &[("id", "1"), ("id", "2"), ("id", "3"), ("do", "change"), ("rating", "1")]).await;
        assert_eq!(flash(service, &answer).await, "Changed “\u{2068}Brazil\u{2069}”. 2 films no longer existed.");
        undo(service).await;
        let answer = send(service, "editor", &[("id", "2,3"), ("do", "delete")]).await;
        assert_eq!(flash(service, &answer).await, "Deleted “\u{2068}Brazil\u{2069}”. 1 film no longer existed.");
        undo(service).await;
        let deleted = service.get("/history?limit=10").await.json();
        let first = deleted.as_array().unwrap().iter().find(|change| change["movies"] == 2).unwrap();
        assert_eq!(service.post(&format!("/history/{}/undo", first["id"]), &json!({})).await.status, 200);
        assert_eq!(stored(service).await, before);
    }
}

on_both! {
    async fn all_that_match_are_more_than_a_page_or_a_batch_holds(service: &Service) {
        let count = 12_000;
        let all: Vec<Value> = (0..count)
            .map(|n| movie(&format!("Film {n}"), if n < 4 { "VHS" } else { "DVD" }, 90, 1990 + n % 3, 1 + n % 5))
            .collect();
        films::fill(service, &all).await;
        let before = stored(service).await;
        let page = get_page(service, "/?releaseYear=1980..&movieFormat=DVD&sort=-rating&limit=5&view=table").await;
        let every = text(between(page.text.split_once("id=\"every\"").unwrap().1, "value=\"", "\"")[0]);
        assert_eq!(every, "/?releaseYear=1980..&movieFormat=DVD");
        assert!(page.text.contains("Select all 11,996 that match"), "{page:?}");
        let session = service.session_of("editor").await;
        for fields in [
            // All are changed, even if they no longer match the filter afterwards.
            [("all", every.as_str()), ("id", "1"), ("do", "change"), ("movieFormat", "Streaming"), ("rating", "")],
            [("all", "/"), ("id", "1"), ("do", "delete"), ("confirmed", "12000"), ("rating", "")],
        ] {
            let answer = Answer::of(request(service, &session, &fields)).await;
            let (kind, movies, words) = match fields[2].1 {
                "change" => ("update", 11_996, "Changed 11,996 films."),
                _ => ("delete", 12_000, "Deleted 12,000 films."),
            };
            assert_eq!(flash(service, &answer).await, words);
            assert_eq!(latest(service).await, (kind.to_owned(), movies));
            let left = service.get("/stats").await.json()["movieFormat"].clone();
            let expected = if kind == "update" { json!({"DVD": 0, "Streaming": 11_996, "VHS": 4}) } else { json!({"DVD": 0, "Streaming": 0, "VHS": 0}) };
            assert_eq!(left, expected);
            undo(service).await;
            assert_eq!(stored(service).await, before, "{words}");
        }
    }
}

on_both! {
    async fn of_what_a_search_finds_with_typing_errors_those_shown_are_all(service: &Service) {
        three(service).await;
        service.add("Aliens", "VHS", 137, 1986, 4).await;
        let page = get_page(service, "/?q=alein").await;
        assert!(page.text.contains("Select all 2 that match"), "{page:?}");
        let every = page.text.split_once("id=\"every\"").unwrap().1;
        assert!(every.contains("name=\"id\""), "{every}");
        let ids = text(between(every, "value=\"", "\"")[0]);
        let answer = send(service, "editor", &[("id", &ids), ("do", "delete")]).await;
        assert_eq!(flash(service, &answer).await, "Deleted 2 films.");
        assert_eq!(service.titles("/movie").await, ["Brazil", "Casablanca"]);
    }
}

on_both! {
    async fn what_no_page_sends_is_refused_and_changes_nothing(service: &Service) {
        three(service).await;
        let before = stored(service).await;
        for (fields, status) in [
            (vec![("id", "x"), ("do", "delete")], 422),
            (vec![("id", "1"), ("do", "sell")], 422),
            (vec![("id", "1")], 422),
            (vec![("id", "1"), ("do", "change"), ("movieFormat", "dvd")], 422),
            (vec![("id", "1"), ("do", "change"), ("rating", "0")], 422),
            (vec![("id", "1"), ("do", "change"), ("rating", "6")], 422),
            (vec![("id", "1"), ("do", "change"), ("rating", "x")], 422),
            (vec![("all", "no address"), ("do", "delete")], 422),
            (vec![("all", "/?rating=9"), ("do", "delete")], 400),
            (vec![("all", "/?colour=red"), ("do", "delete")], 400),
        ] {
            send(service, "editor", &fields).await.problem(status);
        }
        for fields in [&[("do", "delete")][..], &[("do", "change"), ("rating", "1")]] {
            let answer = send(service, "editor", fields).await;
            assert_eq!(flash(service, &answer).await, "No film is selected.");
        }
        let answer = send(service, "editor", &[("do", "delete"), ("back", "//evil.example")]).await;
        assert_eq!(answer.header("location"), "/");
        send(service, "viewer", &[("id", "1"), ("do", "delete")]).await.problem(403);
        for site in ["cross-site", "same-site"] {
            let session = service.session_of("editor").await;
            let form = request(service, &session, &[("id", "1"), ("do", "delete")]);
            Answer::of(form.header("sec-fetch-site", site)).await.problem(403);
        }
        assert_eq!(stored(service).await, before);
    }
}

on_both! {
    async fn who_may_only_look_gets_nothing_to_select_with(service: &Service) {
        three(service).await;
        let session = service.session_of("viewer").await;
        for path in ["/", "/?view=table"] {
            let page = with_cookie(service, &session, Method::GET, path).await;
            is_page(&page, 200);
            for never in ["/selection", "class=\"pick\"", "id=\"selecting\"", "data-version", "table.js"] {
                assert!(!page.text.contains(never), "{path}: {never}");
            }
            let page = get_page(service, path).await;
            assert_eq!(between(&page.text, "class=\"pick\" name=\"id\" value=\"", "\""), ["1", "2", "3"], "{path}");
        }
    }
}

on_both! {
    async fn many_films_are_deleted_only_when_their_number_was_confirmed(service: &Service) {
        films::fill(service, &films::films(101)).await;
        let ids: Vec<String> = (1..=101).map(|id: i64| id.to_string()).collect();
        let (hundred, all) = (ids[..100].join(","), ids.join(","));
        for (name, value) in [("all", "/"), ("id", all.as_str())] {
            for (confirmed, status) in [(None, 200), (Some("100"), 409), (Some("many"), 409)] {
                let fields = [(name, value), ("do", "delete"), ("back", "/?view=table")];
                let confirmed = confirmed.map(|number| ("confirmed", number));
                let fields: Vec<(&str, &str)> = fields.into_iter().chain(confirmed).collect();
                let page = send(service, "editor", &fields).await;
                is_page(&page, status);
                assert!(page.text.contains("<h1>Delete 101 films?</h1>"), "{page:?}");
                assert_eq!(field(&page, name), value);
                assert_eq!((field(&page, "confirmed"), field(&page, "back")), ("101".into(), "/?view=table".into()));
                assert_eq!(page.text.contains("more films match now"), status == 409, "{page:?}");
            }
        }
        assert_eq!(stored(service).await.len(), 101);
        let repeated = format!("{hundred},{hundred}"); // are a hundred
        for fields in [
            vec![("id", repeated.as_str()), ("do", "delete")],
            vec![("all", "/"), ("do", "delete"), ("confirmed", "101")],
            vec![("id", all.as_str()), ("do", "delete"), ("confirmed", "102")],
        ] {
            let answer = send(service, "editor", &fields).await;
            assert!(flash(service, &answer).await.starts_with("Deleted 10"), "{fields:?}");
            undo(service).await;
        }
        // Updates need no confirmation, since they can be undone.
        let answer = send(service, "editor", &[("all", "/"), ("do", "change"), ("rating", "5")]).await;
        assert_eq!(answer.status, 303, "{answer:?}");
    }
}
