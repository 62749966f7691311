//! Fuzzy search, which runs if nothing matches exactly.

use futures_util::future::join;
use reelshelf::http::Settings;
use reqwest::{Method, header};
use serde_json::json;

use super::search::path;
use crate::{
    on_both,
    support::{Answer, Service, films, movie, program::run},
};

/// Returns the titles that a search finds, and the kind of match.
async fn found(service: &Service, search: &str) -> (String, Vec<String>) {
    let answer = service.get(&path("/movie", search)).await;
    let titles = service.titles(&path("/movie", search)).await;
    (answer.header("reelshelf-match").to_owned(), titles)
}

async fn assert_found(service: &Service, search: &str, how: &str, titles: &[&str]) {
    let titles = titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>();
    assert_eq!(found(service, search).await, (how.to_owned(), titles), "{search}");
}

on_both! {
    async fn typing_errors_are_forgiven_by_the_length_of_the_word(service: &Service) {
        for title in [
            "The Matrix", "The Matrix Reloaded", "Terminator 2", "Amélie", "Heat", "Jaws", "Up", "Ran", "1989", "Se7en",
            "The Lord of the Rings", "Spider-Man", "L'Avventura", "20,000 Leagues Under the Sea", "الرسالة", "Straße",
        ] {
            service.add(title, "DVD", 100, 2000, 3).await;
        }
        for (search, titles) in [
            // A missing, inserted, replaced or swapped letter.
            ("matrx", &["The Matrix", "The Matrix Reloaded"][..]),
            ("mattrix", &["The Matrix", "The Matrix Reloaded"]),
            ("natrix", &["The Matrix", "The Matrix Reloaded"]),
            ("amtrix", &["The Matrix", "The Matrix Reloaded"]),
            ("matirx", &["The Matrix", "The Matrix Reloaded"]),
            // One error in four to seven letters,
            ("jws", &[]),
            ("jwas", &["Jaws"]),
            ("jwasx", &[]),
            ("haet", &["Heat"]),
            ("hets", &[]),
            ("termnia", &["Terminator 2"]),
            ("temnia", &[]),
            ("temrina", &["Terminator 2"]),
            ("temrnia", &[]),
            // two errors in eight or more letters, never three.
            ("teminator", &["Terminator 2"]),
            ("temniato", &["Terminator 2"]),
            ("temnator", &["Terminator 2"]),
            ("temnitaor", &[]),
            ("temrinaotr", &["Terminator 2"]),
            ("etmrinaotr", &[]),
            // Prefixes of words, too.
            ("relaod", &["The Matrix Reloaded"]),
            ("relo", &["The Matrix Reloaded"]),
            ("rleo", &["The Matrix Reloaded"]),
            // Case and accents are ignored.
            ("amelei", &["Amélie"]),
            ("ÀMELEI", &["Amélie"]),
            ("starsse", &["Straße"]),
            ("الرسلة", &["الرسالة"]),
            // Each word separately, in any order; short words exactly.
            ("lrod of the rings", &["The Lord of the Rings"]),
            ("rigns lrod", &["The Lord of the Rings"]),
            ("th matrx relaoded", &["The Matrix Reloaded"]),
            ("teh matrx", &[]),
            ("ron matrx", &[]),
            ("matrx zodiac", &[]),
            ("spidreman", &["Spider-Man"]),
            ("avvenutra", &["L'Avventura"]),
            // Numbers exactly.
            ("1999", &[]),
            ("1898", &[]),
            ("20001 leagues", &[]),
            ("20000 leaguse", &["20,000 Leagues Under the Sea"]),
            ("seven", &["Se7en"]),
        ] {
            let how = match titles {
                [] => "exact",
                ["The Matrix Reloaded"] if search == "relo" => "exact",
                _ => "fuzzy",
            };
            assert_found(service, search, how, titles).await;
        }
    }
}

on_both! {
    async fn the_nearest_come_first(service: &Service) {
        for title in [
            "Zodiac Starts", "The Start", "Stark", "Starting Over", "Alien Staart", "Staarting", "A Start", "start Again",
            "Sturtx", "Stub",
        ] {
            service.add(title, "DVD", 100, 2000, 3).await;
        }
        // One error: whole words first, then prefixes, both by title.
        assert_found(service, "strat", "fuzzy", &[
            "The Start", "A Start", "start Again", "Starting Over", "Zodiac Starts",
        ]).await;
        service.add("Alien Interplanetary", "DVD", 100, 2000, 3).await;
        service.add("Zodiac Interplanetry", "DVD", 100, 2000, 3).await;
        service.add("Brazil Interplanetarian Interplametry", "DVD", 100, 2000, 3).await;
        // One error before two; a whole word before a prefix.
        assert_found(service, "interplanteary", "fuzzy", &[
            "Alien Interplanetary", "Zodiac Interplanetry", "Brazil Interplanetarian Interplametry",
        ]).await;
        // The errors of all words are added.
        assert_found(service, "alien interplametray", "fuzzy", &["Alien Interplanetary"]).await;
    }
}

on_both! {
    async fn what_matches_exactly_stands_alone(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.add("Heart", "VHS", 90, 1988, 2).await;
        service.add("Meat", "VHS", 95, 1990, 3).await;
        assert_found(service, "heat", "exact", &["Heat"]).await;
        for (query, how, titles) in [
            // The other filters still apply.
            ("q=heat&movieFormat=VHS", "fuzzy", &["Heart", "Meat"][..]),
            ("q=heat&movieFormat=VHS&rating=3..", "fuzzy", &["Meat"]),
            ("q=heat&releaseYear=1988", "fuzzy", &["Heart"]),
            ("q=heat&length=..89", "exact", &[]),
            ("q=heat&rating=5", "exact", &["Heat"]),
            ("q=&movieFormat=Streaming", "exact", &[]),
            ("q=?!&movieFormat=Streaming", "exact", &[]),
        ] {
            let answer = service.get(&format!("/movie?{query}")).await;
            assert_eq!(answer.header("reelshelf-match"), how, "{query}");
            assert_eq!(service.titles(&format!("/movie?{query}")).await, titles, "{query}");
        }
        assert_eq!(service.get("/movie?movieFormat=Streaming").await.headers.get("reelshelf-match"), None);
    }
}

on_both! {
    async fn they_come_in_the_order_asked_for_and_on_one_page(service: &Service) {
        let titles = (1..=120).map(|n| movie(&format!("Matrix {n}"), "DVD", n, 2000, 1 + n % 5));
        films::fill(service, &titles.collect::<Vec<_>>()).await;
        let numbers = async |query: &str| {
            let titles = service.titles(&format!("/movie?q=matrx&{query}")).await;
            titles.iter().map(|title| title["Matrix ".len()..].parse().unwrap()).collect::<Vec<i64>>()
        };
        let nearest: Vec<i64> = (1..=100).collect();
        assert_eq!(numbers("").await, nearest);
        assert_eq!(numbers("limit=100").await, nearest);
        assert_eq!(numbers("limit=1000").await, nearest);
        assert_eq!(numbers("limit=99").await, nearest[..99]);
        // The same films in another order.
        assert_eq!(numbers("sort=-length").await, nearest.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(numbers("sort=-id&limit=2").await, [100, 99]);
        assert_eq!(numbers("sort=rating,-title&limit=3").await, [100, 95, 90]);

        for (query, total) in [("", "100"), ("&limit=3", "100"), ("&rating=5", "24"), ("&rating=5&limit=1", "24")] {
            let page = service.get(&format!("/movie?q=matrx&total=true{query}")).await;
            let head = ["x-total-count", "reelshelf-match", "link"].map(|name| page.header(name));
            assert_eq!(head, [total, "fuzzy", ""], "{query}");
        }
        let none = service.get("/movie?q=zodica&total=true&limit=5").await;
        assert_eq!(["x-total-count", "reelshelf-match"].map(|name| none.header(name)), ["0", "exact"]);
    }
}

on_both! {
    async fn pages_that_begin_with_exact_matches_end_with_them(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.add("Heat 2", "DVD", 170, 2025, 5).await;
        service.add("Heart", "DVD", 90, 1988, 2).await;
        let page = service.get("/movie?q=heat&limit=1&total=true").await;
        let next = page.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
        service.delete("/movie/2").await;
        service.delete("/movie/1").await;
        let page = service.get(&next).await;
        let head = ["x-total-count", "reelshelf-match"].map(|name| page.header(name));
        assert_eq!((page.json(), head), (json!([]), ["0", "exact"]));
        assert_found(service, "heat", "fuzzy", &["Heart"]).await;
    }
}

on_both! {
    async fn every_form_of_the_list_forgives(service: &Service) {
        service.add("Amélie", "DVD", 122, 2001, 5).await;
        service.add("Zodiac", "DVD", 157, 2007, 4).await;
        for (accept, begins) in [("text/csv", "id,title,"), ("application/x-ndjson", "{\"id\":1,"), ("application/json", "[{\"id\":1,")] {
            for page in ["", "&limit=5"] {
                let request = service.request(Method::GET, &format!("/movie?q=amelei{page}"));
                let answer = Answer::of(request.header(header::ACCEPT, accept)).await;
                assert_eq!((answer.status, answer.header("reelshelf-match")), (200, "fuzzy"), "{answer:?}");
                assert!(answer.text.starts_with(begins) && answer.text.contains("Amélie"), "{answer:?}");
                assert!(!answer.text.contains("Zodiac"), "{answer:?}");
            }
        }
    }
}

on_both! {
    async fn statistics_and_chance_see_the_same_films(service: &Service) {
        let films = (1..=150).map(|n| movie(&format!("Matrix {n}"), "DVD", n, 1900 + n, 1 + n % 5));
        films::fill(service, &films.collect::<Vec<_>>()).await;
        for (search, how, movies, length) in [("matrix", "exact", 150, 11325), ("matrx", "fuzzy", 100, 5050), ("zodiac", "exact", 0, 0)] {
            let stats = service.get(&format!("/stats?q={search}")).await;
            assert_eq!(stats.header("reelshelf-match"), how);
            assert_eq!((&stats.json()["movies"], &stats.json()["totalLength"]), (&json!(movies), &json!(length)));
        }
        let stats = service.get("/stats?q=matrx&releaseYear=1995..").await.json();
        assert_eq!((&stats["movies"], &stats["decade"]["1990"], &stats["meanLength"]), (&json!(56), &json!(5), &json!(122.5)));

        let random = service.get("/movie/random?q=matrx&rating=1&length=..5").await;
        assert_eq!((random.status, random.header("reelshelf-match")), (200, "fuzzy"));
        assert_eq!((&random.json()["id"], random.header("etag")), (&json!(5), "\"1\""));
        assert_eq!(service.get("/movie/random?q=matrix").await.header("reelshelf-match"), "exact");
        service.get("/movie/random?q=zodiac").await.problem(404);
        for path in ["/stats", "/movie/random"] {
            assert_eq!(service.get(path).await.headers.get("reelshelf-match"), None, "{path}");
        }
    }
}

on_both! {
    async fn every_write_is_found_at_once_on_every_instance(service: &Service) {
        let another = &service.another_instance(Settings::default()).await;
        let assert_on_both = async |search: &str, titles: &[&str]| {
            let how = if titles.is_empty() { "exact" } else { "fuzzy" };
            join(assert_found(service, search, how, titles), assert_found(another, search, how, titles)).await;
        };
        assert_on_both("amelei", &[]).await;
        service.add("Amélie", "DVD", 122, 2001, 5).await;
        assert_on_both("amelei", &["Amélie"]).await;
        another.add("Amelia", "DVD", 111, 2009, 2).await;
        assert_on_both("amelei", &["Amélie", "Amelia"]).await;
        service.patch("/movie/1", &json!({"title": "Metropolis"})).await;
        assert_on_both("amelei", &["Amelia"]).await;
        assert_on_both("metroopils", &["Metropolis"]).await;
        another.delete("/movie/1").await;
        assert_on_both("metroopils", &[]).await;
        let undone = Answer::of(service.request(Method::POST, "/history/4/undo")).await;
        assert_eq!(undone.status, 200, "{undone:?}");
        assert_on_both("metroopils", &["Metropolis"]).await;
        let operations = json!({"operations": [{"op": "create", "movie": movie("Nosferatu", "VHS", 94, 1922, 5)},
            {"op": "delete", "id": 2}]});
        assert_eq!(another.post("/movie/batch", &operations).await.status, 200);
        assert_on_both("nosfreatu", &["Nosferatu"]).await;
        assert_on_both("amelei", &[]).await;
        films::fill(service, &[movie("Stalker", "VHS", 162, 1979, 5)]).await;
        assert_on_both("stalkre", &["Stalker"]).await;
    }
}

on_both! {
    async fn a_large_import_is_found_too_and_common_words_do_not_hide_rare_ones(service: &Service) {
        service.add("Amélie", "DVD", 122, 2001, 5).await;
        assert_found(service, "amelei", "fuzzy", &["Amélie"]).await;
        // More films than the limit, all with two words in common.
        let mut titles: Vec<String> = (0..5100).map(|n| format!("Common Reels {n}")).collect();
        titles.push("Zodiac Common Killers Reels".to_owned());
        let many: Vec<_> = titles.iter().map(|title| movie(title, "DVD", 90, 2000, 3)).collect();
        films::fill(service, &many).await;
        assert_found(service, "kilelrs common", "fuzzy", &["Zodiac Common Killers Reels"]).await;
        assert_found(service, "comomn 5099", "fuzzy", &["Common Reels 5099"]).await;
        assert_found(service, "comomn rele zodica", "fuzzy", &["Zodiac Common Killers Reels"]).await;
        let nearest: Vec<String> = titles[..100].to_vec();
        assert_eq!(found(service, "rele").await.1, nearest);
        assert_eq!(found(service, "rele comomn").await.1, nearest);
        // Many good matches do not hide the best one.
        service.add("Zodiac Reel", "DVD", 90, 2000, 3).await;
        assert_eq!(found(service, "rele").await.1[..2], ["Zodiac Reel", "Common Reels 0"]);
        assert_eq!(found(service, "rele comomn").await.1, nearest);
        assert_found(service, "rele zodica", "fuzzy", &["Zodiac Reel", "Zodiac Common Killers Reels"]).await;
        assert_found(service, "amelei", "fuzzy", &["Amélie"]).await;
        let undone = Answer::of(service.request(Method::POST, "/history/2/undo")).await;
        assert_eq!(undone.status, 200, "{undone:?}");
        assert_found(service, "comomn", "exact", &[]).await;
        assert_found(service, "rele", "fuzzy", &["Zodiac Reel"]).await;
    }
}

on_both! {
    async fn a_collection_that_is_replaced_or_whose_history_is_shortened_is_read_anew(service: &Service) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("films.backup");
        let file = file.to_str().expect("text");
        service.add("Metropolis", "VHS", 153, 1927, 5).await;
        service.add("Nosferatu", "VHS", 94, 1922, 5).await;
        run(&service.database, &["backup", file], "").expect(0);
        service.delete("/movie/1").await;
        service.patch("/movie/2", &json!({"title": "Stalker"})).await;
        let fresh = &service.another_instance(Settings::default()).await;
        assert_found(fresh, "stalkre", "fuzzy", &["Stalker"]).await;
        assert_found(fresh, "metroopils", "exact", &[]).await;
        run(&service.database, &["restore", "--replace", file], "").expect(0);
        assert_found(fresh, "metroopils", "fuzzy", &["Metropolis"]).await;
        assert_found(fresh, "nosfreatu", "fuzzy", &["Nosferatu"]).await;

        service.add("Brazil", "VHS", 132, 1985, 5).await;
        run(&service.database, &["history", "prune", "--before", "2100-01-01"], "").expect(0);
        assert_found(fresh, "barzil", "fuzzy", &["Brazil"]).await;
        service.add("Zodiac", "VHS", 157, 2007, 4).await;
        assert_found(fresh, "zodica", "fuzzy", &["Zodiac"]).await;
    }
}

on_both! {
    async fn a_long_word_is_looked_for_without_much_ado(service: &Service) {
        let title = "x".repeat(50);
        service.add(&title, "DVD", 100, 2000, 3).await;
        assert_found(service, &"x".repeat(52), "fuzzy", &[&title]).await;
        assert_found(service, &"x".repeat(53), "exact", &[]).await;
        for search in ["ﷺ".repeat(200), "abcde ".repeat(33), "ﬃ".repeat(200)] {
            assert_found(service, &search, "exact", &[]).await;
        }
    }
}
