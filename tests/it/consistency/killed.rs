//! A service that is killed while it loads its catalogue.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{
        Answer, TestDatabase,
        program::{Program, Signal},
    },
};

/// The initial number of movies.
const FIRST: i64 = 10_000;
/// Too many movies to be loaded between two steps of a test.
const MOST: i64 = 2_000_000;

/// Stores movies with these ids, like one import.
async fn store(database: &TestDatabase, ids: std::ops::RangeInclusive<i64>) {
    let (first, last, count) = (ids.start(), ids.end(), ids.end() - ids.start() + 1);
    let change =
        "INSERT INTO changes (at, user_name, via, kind, movies) VALUES (0, 'owner', 'console', 'import', ";
    let films = format!(
        "WITH RECURSIVE n (i) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
         INSERT INTO movie_rows (id, title, movie_format, length, release_year, rating, version, created_at, \
         updated_at, change_id) SELECT i, 'Film ' || CAST(i AS TEXT), 'DVD', 90, 2000, 3, 1, 0, 0, \
         (SELECT max(id) FROM changes) FROM n"
    );
    database.execute(&format!("{change}{count}); {films}")).await.expect("movies");
}

/// Starts a service and kills it while it loads the catalogue. Returns false if the kill was too early.
async fn kill_while_it_loads(database: &TestDatabase) -> bool {
    let server = Program::start_unready(database);
    let ready = Answer::of(server.request(Method::GET, "/health/ready")).await;
    server.signal(Signal::KILL);
    let left = server.ended();
    // Its output shows that loading was not complete.
    let was_loading = ready.status == 503 && !left.out.contains("listening on");
    if was_loading {
        assert_eq!(ready.json()["detail"], "the collection is being loaded", "{ready:?}");
    }
    was_loading
}

on_both! {
    async fn after_a_service_was_killed_while_it_loads_the_next_answers_all(service: &Service) {
        let mut movies = FIRST;
        store(&service.database, 1..=movies).await;
        while !kill_while_it_loads(&service.database).await {
            assert!(movies < MOST, "the catalogue is loaded before anybody can ask");
            store(&service.database, movies + 1..=2 * movies).await;
            movies *= 2;
        }
        let server = Program::start(&service.database);
        let get = async |path: &str| {
            let answer = Answer::of(server.request(Method::GET, path).bearer_auth(&service.owner)).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            answer
        };
        let total = movies.to_string();
        for path in ["/movie?limit=1&total=true", "/movie?q=film&sort=-id&limit=1&total=true"] {
            assert_eq!(get(path).await.header("x-total-count"), total);
        }
        assert_eq!(get("/stats").await.json()["movieFormat"]["DVD"], movies);
        let last = get(&format!("/movie/{movies}")).await.json();
        assert_eq!(last["title"], format!("Film {movies}"));
        assert_eq!(get(&format!("/movie?q=film+{movies}")).await.json()[0], last);
        let changed = server.request(Method::PATCH, "/movie/1").bearer_auth(&service.owner).json(&json!({"rating": 5}));
        let changed: Value = Answer::of(changed).await.json();
        assert_eq!(get("/movie/1").await.json(), changed);
    }
}
