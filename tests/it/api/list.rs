//! Lists: filters, sort orders, pages, formats.

use std::{cmp::Ordering, net::SocketAddr};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
};
use futures_util::{FutureExt, StreamExt};
use proptest::{prelude::*, sample::select};
use reelshelf::{
    domain::{query_words, sort_key, title_words},
    http::{self, Settings},
};
use reqwest::Method;
use serde_json::Value;
use tower::ServiceExt;

use crate::{
    on_both,
    support::{
        Answer, Service,
        films::{any_movie, empty, fill, films, holds},
        movie,
    },
};

/// Returns the URL of the next page.
pub fn next(page: &Answer) -> Option<String> {
    let link = page.headers.get("link")?.to_str().expect("text");
    let address = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    Some(address.expect("a link to the next page").to_owned())
}

/// Returns all movies of a list by following its pages.
async fn walk(service: &Service, first: &str) -> Vec<Value> {
    let mut movies = Vec::new();
    let mut address = Some(first.to_owned());
    while let Some(path) = address {
        let page = service.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let here = page.json().as_array().expect("a list").clone();
        address = next(&page);
        assert!(address.is_none() || !here.is_empty(), "a page that is not the last holds something");
        movies.extend(here);
    }
    movies
}

async fn all(service: &Service, path: &str) -> Vec<Value> {
    let answer = service.get(path).await;
    assert_eq!((answer.status, answer.headers.get("link")), (200, None), "{answer:?}");
    answer.json().as_array().expect("a list").clone()
}

/// Compares two movies by a `sort` parameter.
fn compare(sort: &str, a: &Value, b: &Value) -> Ordering {
    let keys = sort.split(',').filter(|key| !key.is_empty()).chain(["id"]);
    keys.map(|key| {
        let (name, turned) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
        let order = match (&a[name], &b[name]) {
            (Value::String(a), Value::String(b)) if name == "title" => sort_key(a).cmp(&sort_key(b)),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (a, b) => a.as_i64().expect("a number").cmp(&b.as_i64().expect("a number")),
        };
        if turned { order.reverse() } else { order }
    })
    .fold(Ordering::Equal, Ordering::then)
}

fn ids(movies: &[Value]) -> Vec<i64> {
    movies.iter().map(|movie| movie["id"].as_i64().expect("an id")).collect()
}

on_both! {
    async fn the_whole_list_comes_by_id_however_long(service: &Service) {
        let mut expected = Vec::new();
        let films = films(2002);
        for upto in [0_usize, 1, 999, 1000, 1001, 2000, 2001, 2002] {
            fill(service, &films[expected.len()..upto]).await;
            expected = all(service, "/movie").await;
            assert!(ids(&expected).into_iter().eq(1..=i64::try_from(upto).unwrap()), "{upto} movies");
            for (movie, film) in expected.iter().zip(&films) {
                assert_eq!(movie["title"].as_str(), film["title"].as_str().map(str::trim));
            }
            let rows = Answer::of(service.request(Method::GET, "/movie").header("accept", "application/x-ndjson")).await;
            let rows: Vec<Value> = rows.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(rows, expected);
            let csv = Answer::of(service.request(Method::GET, "/movie").header("accept", "text/csv")).await;
            let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
            let rows: Vec<i64> = reader.records().map(|row| row.unwrap()[0].parse().unwrap()).collect();
            assert_eq!(rows, ids(&expected));
        }
        let turned = all(service, "/movie?sort=-id").await;
        assert!(ids(&turned).into_iter().eq((1..=2002).rev()));
        let mut by_title = expected;
        by_title.sort_by(|a, b| compare("title", a, b));
        assert_eq!(all(service, "/movie?sort=title").await, by_title);
    }
}

on_both! {
    async fn every_order_is_kept_both_ways_and_in_every_mixture(service: &Service) {
        for movies in films(90).chunks(30) {
            fill(service, movies).await; // at three moments
            service.pass_millis(1000);
        }
        for id in [3, 33, 63] {
            service.patch(&format!("/movie/{id}"), &serde_json::json!({"title": "Alien"})).await;
        }
        let everything = all(service, "/movie").await;
        assert_eq!(everything.len(), 90);
        for sort in [
            "id", "-id", "title", "-title", "movieFormat", "-movieFormat", "length", "-length", "releaseYear",
            "-releaseYear", "rating", "-rating", "createdAt", "-createdAt", "updatedAt", "-updatedAt",
            "-rating,title", "rating,-title", "movieFormat,-rating,length", "-movieFormat,rating,-title,-id",
            "rating,-id", "-createdAt,rating,-movieFormat,title", "updatedAt,-createdAt", "id,title", "-id,rating",
            "title,-movieFormat,length,-releaseYear,rating,-createdAt,updatedAt,-id",
        ] {
            let mut expected = everything.clone();
            expected.sort_by(|a, b| compare(sort, a, b));
            assert_eq!(ids(&all(service, &format!("/movie?sort={sort}")).await), ids(&expected), "{sort}");
            for limit in [1, 7, 90] {
                let walked = walk(service, &format!("/movie?sort={sort}&limit={limit}")).await;
                assert_eq!(ids(&walked), ids(&expected), "{sort}, {limit} a page");
            }
        }
    }
}

/// A query of a list.
#[derive(Debug, Clone)]
struct Asked {
    sort: String,
    limit: usize,
    formats: Vec<&'static str>,
    length: Option<(i64, i64)>,
    rating: Option<(i64, i64)>,
    search: Option<&'static str>,
}

impl Asked {
    fn any() -> impl Strategy<Value = Self> {
        let keys =
            vec!["title", "movieFormat", "length", "releaseYear", "rating", "createdAt", "updatedAt", "id"];
        let keys = proptest::sample::subsequence(keys, 0..4).prop_shuffle();
        let turned = proptest::collection::vec(any::<bool>(), 4);
        let sort = (keys, turned).prop_map(|(keys, turned)| {
            let signed = keys
                .iter()
                .zip(turned)
                .map(|(key, turned)| format!("{}{key}", if turned { "-" } else { "" }));
            signed.collect::<Vec<_>>().join(",")
        });
        let range = |least: i64, most: i64| {
            proptest::option::weighted(
                0.3,
                (least..=most, least..=most).prop_map(|(a, b)| (a.min(b), a.max(b))),
            )
        };
        let formats = proptest::sample::subsequence(vec!["DVD", "VHS", "Streaming"], 0..3);
        let search =
            proptest::option::weighted(0.3, select(vec!["heat", "AL", "l'avv", "2", "the h", "20000"]));
        (sort, 1usize..9, formats, range(0, 500), range(1, 5), search).prop_map(
            |(sort, limit, formats, length, rating, search)| Self {
                sort,
                limit,
                formats,
                length,
                rating,
                search,
            },
        )
    }

    fn path(&self) -> String {
        let mut query = form_urlencoded::Serializer::new("/movie?".to_owned());
        query.extend_pairs(self.formats.iter().map(|format| ("movieFormat", format)));
        for (name, range) in [("length", self.length), ("rating", self.rating)] {
            query.extend_pairs(range.map(|(min, max)| (name, format!("{min}..{max}"))));
        }
        query.extend_pairs(self.search.map(|words| ("q", words)));
        if !self.sort.is_empty() {
            query.append_pair("sort", &self.sort);
        }
        query.finish()
    }

    fn passes(&self, movie: &Value) -> bool {
        let within = |name: &str, range: Option<(i64, i64)>| {
            range.is_none_or(|(min, max)| (min..=max).contains(&movie[name].as_i64().unwrap()))
        };
        let words = title_words(movie["title"].as_str().unwrap());
        let sought = query_words(self.search.unwrap_or_default());
        within("length", self.length)
            && within("rating", self.rating)
            && (self.formats.is_empty() || self.formats.contains(&movie["movieFormat"].as_str().unwrap()))
            && sought.iter().all(|sought| words.iter().any(|word| word.starts_with(sought)))
    }
}

on_both! {
    async fn the_pages_make_the_whole(service: &Service) {
        let movies = proptest::collection::vec(any_movie(), 0..40);
        let asked = proptest::collection::vec(Asked::any(), 4);
        holds(16, (movies, asked), async |(movies, asked)| {
            empty(service).await;
            for some in movies.chunks(15) {
                fill(service, some).await;
                service.pass_millis(1);
            }
            let everything = all(service, "/movie").await;
            assert_eq!(everything.len(), movies.len());
            for asked in asked {
                let mut expected: Vec<Value> = everything.iter().filter(|m| asked.passes(m)).cloned().collect();
                if expected.is_empty() && asked.search.is_some() {
                    continue; // what is given where nothing matches is no matter of pages
                }
                expected.sort_by(|a, b| compare(&asked.sort, a, b));
                let path = asked.path();
                let whole = service.get(&format!("{path}&total=true")).await;
                assert_eq!(whole.json(), Value::from(expected.clone()), "{path}");
                assert_eq!(whole.header("x-total-count"), expected.len().to_string(), "{path}");
                let first = format!("{path}&limit={}", asked.limit);
                assert_eq!(walk(service, &first).await, expected, "{first}");
            }
        });
    }
}

on_both! {
    async fn nothing_is_shown_twice_or_skipped_while_others_insert_and_delete(service: &Service) {
        for sort in ["title", "-rating,title", "id", "-updatedAt,movieFormat"] {
            empty(service).await;
            fill(service, &films(40)).await;
            let mut expected = all(service, &format!("/movie?sort={sort}")).await;
            let mut shown: Vec<i64> = Vec::new();
            let mut added: Vec<i64> = Vec::new();
            let mut address = Some(format!("/movie?sort={sort}&limit=3"));
            while let Some(path) = address {
                let page = service.get(&path).await;
                address = next(&page);
                let movies = page.json();
                let here = movies.as_array().unwrap();
                shown.extend(ids(here).iter().filter(|id| !added.contains(id)));
                // Between two pages the last movie shown is deleted, and one not shown yet; others are
                // created before and behind it.
                let last = ids(here).last().copied();
                let ahead = expected.iter().map(|m| m["id"].as_i64().unwrap()).filter(|id| !shown.contains(id)).nth(4);
                if let Some(ahead) = ahead {
                    expected.retain(|movie| movie["id"] != ahead);
                }
                for gone in last.into_iter().chain(ahead) {
                    assert_eq!(service.delete(&format!("/movie/{gone}")).await.status, 204);
                }
                if added.len() < 30 {
                    for (title, rating) in [("000", 5), ("Éa", 3), ("zzz", 1)] {
                        added.push(service.add(title, "DVD", 1, 1900, rating).await["id"].as_i64().unwrap());
                    }
                }
            }
            assert_eq!(shown, ids(&expected), "{sort}");
        }
    }
}

on_both! {
    async fn titles_stand_in_the_same_order_on_both_databases(service: &Service) {
        let shelf = [
            "!!!", // signs alone stand under their signs
            "2 Fast 2 Furious",
            "007: Dr. No",
            "10 Things I Hate About You",
            "101 Dalmatians",
            "2001: A Space Odyssey",
            "20,000 Leagues Under the Sea",
            "?",
            "A",
            "The Ábyss",
            "Alien",
            "alien",
            "ALIEN 2",
            "Alien 10",
            "Amélie",
            "An American in Paris",
            "…And Justice for All",
            "The Apartment",
            "Ødipus 2",
            "Œdipus",
            "Straße",
            "Strassen",
            "The",
            "Theatre of Blood",
            "Zodiac",
            "Σίσυφος",
            "الرسالة",
            "がか",
            "한글",
            "🎬",
            "🎬🎬",
        ];
        let mut mixed: Vec<&str> = shelf.to_vec();
        mixed.sort_by_key(|title| (title.len() % 5, title.len()));
        // Equal titles are sorted by id.
        mixed.retain(|title| *title != "alien");
        mixed.push("alien");
        let movies: Vec<Value> = mixed.iter().map(|title| movie(title, "DVD", 90, 2000, 3)).collect();
        fill(service, &movies).await;
        assert_eq!(service.titles("/movie?sort=title").await, shelf);
        let mut turned: Vec<&str> = shelf.iter().rev().copied().collect();
        let equal = turned.iter().position(|title| *title == "alien").unwrap();
        turned.swap(equal, equal + 1);
        assert_eq!(service.titles("/movie?sort=-title").await, turned);
        let walked = walk(service, "/movie?sort=-title&limit=2").await;
        assert_eq!(walked.iter().map(|movie| movie["title"].as_str().unwrap()).collect::<Vec<_>>(), turned);
    }
}

on_both! {
    async fn filters_take_values_and_ranges_with_both_ends(service: &Service) {
        for (n, format) in (0..).zip(["DVD", "VHS", "Streaming", "DVD", "VHS"]) {
            service.add(&format!("Film {n}"), format, n * 125, 1800 + n * 75, n + 1).await;
        }
        for (query, expected) in [
            ("", &[1, 2, 3, 4, 5][..]),
            ("movieFormat=DVD", &[1, 4]),
            ("movieFormat=DVD&movieFormat=VHS&movieFormat=DVD", &[1, 2, 4, 5]),
            ("rating=3", &[3]),
            ("rating=4..", &[4, 5]),
            ("rating=..2", &[1, 2]),
            ("rating=2..4", &[2, 3, 4]),
            ("rating=1..5", &[1, 2, 3, 4, 5]),
            ("length=0", &[1]),
            ("length=..125", &[1, 2]),
            ("length=126..499", &[3, 4]),
            ("length=500", &[5]),
            ("releaseYear=1800", &[1]),
            ("releaseYear=2100..", &[5]),
            ("releaseYear=1950..2025", &[3, 4]),
            ("releaseYear=1951..2024", &[]),
            ("movieFormat=VHS&rating=2..&length=500&releaseYear=..2100&q=film", &[5]),
            ("movieFormat=Streaming&rating=5", &[]),
        ] {
            assert_eq!(ids(&all(service, &format!("/movie?{query}")).await), expected, "{query}");
        }
    }
}

on_both! {
    async fn a_page_links_to_the_next_with_all_that_was_asked_for(service: &Service) {
        fill(service, &films(30)).await;
        let first = "/movie?movieFormat=DVD&movieFormat=VHS&q=a&rating=1..5&sort=-rating,title&limit=4&total=true";
        let page = service.get(first).await;
        let (path, query) = next(&page).expect("a next page").split_once('?').map(|(p, q)| (p.to_owned(), q.to_owned())).unwrap();
        assert_eq!(path, "/movie");
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let (cursor, asked) = pairs.split_last().unwrap();
        assert_eq!(cursor.0, "cursor");
        let expected: Vec<(String, String)> = form_urlencoded::parse(first.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
        assert_eq!(asked, expected);
        let total = page.header("x-total-count").to_owned();
        assert_eq!(service.get(&next(&page).unwrap()).await.header("x-total-count"), total);
        assert_eq!(walk(service, first).await.len().to_string(), total);
        for (limit, more) in [(29, true), (30, false), (31, false), (1000, false)] {
            let page = service.get(&format!("/movie?limit={limit}")).await;
            assert_eq!(next(&page).is_some(), more, "{limit}");
            assert_eq!(page.headers.get("x-total-count"), None);
        }
        empty(service).await;
        let page = service.get("/movie?limit=1&total=true").await;
        assert_eq!((&*page.text, page.header("x-total-count"), next(&page)), ("[]\n", "0", None));
    }
}

on_both! {
    async fn a_list_comes_in_the_form_that_is_accepted(service: &Service) {
        fill(service, &films(3)).await;
        for query in ["", "?limit=2"] {
            for (accept, content_type) in [
                ("*/*", "application/json"),
                ("application/json", "application/json"),
                ("application/x-ndjson", "application/x-ndjson"),
                ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"),
                ("text/csv", "text/csv; charset=utf-8; header=present"),
                ("text/*;q=0.3", "text/csv; charset=utf-8; header=present"),
            ] {
                let request = |method| service.request(method, &format!("/movie{query}")).header("accept", accept);
                let answer = Answer::of(request(Method::GET)).await;
                assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{accept}");
                assert!(answer.header("vary").to_ascii_lowercase().contains("accept"), "{answer:?}");
                let head = Answer::of(request(Method::HEAD)).await;
                assert_eq!((head.status, &*head.text), (200, ""), "{accept}");
                for name in ["content-type", "link"] {
                    assert_eq!(head.headers.get(name), answer.headers.get(name), "{accept}");
                }
            }
            for accept in ["image/png", "application/problem+json", "application/json;q=0", "x", "text/csv;q=0, image/*"] {
                let request = service.request(Method::GET, &format!("/movie{query}")).header("accept", accept);
                Answer::of(request).await.problem(406);
            }
        }
        let counted = Answer::of(service.request(Method::HEAD, "/movie?total=true&movieFormat=DVD")).await;
        assert_eq!((counted.status, counted.header("x-total-count")), (200, "1"));
        let one = Answer::of(service.request(Method::HEAD, "/movie/1")).await;
        assert_eq!((one.status, one.header("etag"), &*one.text), (200, "\"1\"", ""));
    }
}

on_both! {
    /// A word of thousands of titles: in all parts of the list, only in its later part, or scattered.
    async fn what_many_titles_have_is_found_in_order(service: &Service) {
        let films: Vec<Value> = (0..7_000_i64).map(|n| {
            let (word, often) = (if n < 1_500 { "Alpha" } else { "Zulu" }, if n % 40 == 0 { " Rarely" } else { "" });
            movie(&format!("{word} Film {n:04}{often}"), if n % 2 == 0 { "DVD" } else { "VHS" }, 90, 2000 + n % 20, 1 + n % 5)
        }).collect();
        fill(service, &films).await;
        let everything = walk(service, "/movie?limit=1000&sort=-rating,title").await;
        for (search, words, format) in [
            ("film", &["Film"][..], None),
            ("zulu", &["Zulu"], None),
            ("fil zul", &["Film", "Zulu"], Some("VHS")),
            ("rarely film", &["Rarely"], None),
            ("film alpha rare", &["Alpha", "Rarely"], Some("DVD")),
            ("film missing", &["Missing"], None),
        ] {
            let expected: Vec<&Value> = everything.iter().filter(|film| {
                let title = film["title"].as_str().unwrap();
                words.iter().all(|word| title.contains(word)) && format.is_none_or(|format| film["movieFormat"] == format)
            }).collect();
            for sort in ["title", "-rating,title"] {
                let format = format.map_or(String::new(), |format| format!("&movieFormat={format}"));
                let path = format!("/movie?q={}&limit=400&sort={sort}{format}", search.replace(' ', "%20"));
                let found = walk(service, &path).await;
                let mut expected = expected.clone();
                expected.sort_by(|a, b| compare(sort, a, b));
                assert!(found.iter().eq(expected.iter().copied()), "{path}: {} of {}", found.len(), expected.len());
            }
            let count = service.get(&format!("/movie?q={}&limit=1&total=true", search.replace(' ', "%20"))).await;
            if format.is_none() && !expected.is_empty() {
                assert_eq!(count.header("x-total-count"), expected.len().to_string(), "{search}");
            }
        }
    }
}

on_both! {
    async fn a_list_that_is_read_fast_lets_other_requests_run_between_its_pages(service: &Service) {
        fill(service, &films(5000)).await;
        let mut request = Request::get("/movie").header("host", "films.example").header("authorization", format!("Bearer {}", service.viewer)).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        let answer = http::router(service.app.clone(), Settings::default()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut body = answer.into_body().into_data_stream();
        let (mut pages, mut pauses) = (0, 0);
        loop {
            match body.next().now_or_never() {
                Some(None) => break,
                Some(Some(page)) => pages += usize::from(page.unwrap().len() > 1000),
                None => {
                    pauses += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        assert_eq!(pages, 5);
        assert_eq!(pauses, 4);
    }
}
