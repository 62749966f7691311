//! `reelshelf check` on an intact database, and on one that another program has changed.

use serde_json::{Value, json};

use crate::{
    cli::backup::{back_up, restore},
    on_both,
    support::{Kind, Service, TestDatabase, films::csv, movie, program::run},
};

/// Creates a collection with all kinds of changes: 3 films, 9 changes.
async fn fill(service: &Service) {
    for (title, rating) in [("Heat", 5), ("Ran", 4), ("Alien", 3)] {
        service.add(title, "DVD", 100, 1990, rating).await;
    }
    service.pass_millis(1000);
    service.patch("/movie/1", &json!({"rating": 1})).await;
    service.patch("/movie/1", &json!({"title": "Heat 2"})).await;
    service.delete("/movie/2").await;
    let operations = json!([{"op": "create", "movie": movie("Ikiru", "VHS", 143, 1952, 5)},
        {"op": "update", "id": 1, "changes": {"length": 171}}, {"op": "delete", "id": 3}]);
    assert_eq!(service.post("/movie/batch", &json!({"operations": operations})).await.status, 200);
    let many = service.import("text/csv", "", csv(1_200)).await.json()["change"].clone();
    for change in [json!(6), many] {
        assert_eq!(service.post(&format!("/history/{change}/undo"), &Value::Null).await.status, 200);
    }
}

/// Returns the lines of a failed check, without the last one, which has their number.
#[track_caller]
fn differences(database: &TestDatabase) -> Vec<String> {
    let done = run(database, &["check"], "").expect(1);
    let lines: Vec<String> = done.out.lines().map(str::to_owned).collect();
    let (count, noun) = (lines.len(), if lines.len() == 1 { "difference" } else { "differences" });
    assert_eq!(done.said(), format!("reelshelf: {count} {noun} found\n"), "{lines:?}");
    lines
}

#[track_caller]
fn agrees(database: &TestDatabase, films: &str) {
    let done = run(database, &["check"], "").expect(0);
    assert_eq!(
        (done.out.as_str(), done.said().as_str()),
        (format!("{films}: the rows, the history and the catalogue agree.\n").as_str(), "")
    );
}

on_both! {
    async fn a_healthy_database_is_told_by_one_line_and_the_status(service: &Service) {
        agrees(&service.database, "0 films and 0 changes");
        fill(service).await;
        agrees(&service.database, "3 films and 10 changes");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("films.backup");
        back_up(&service.database, &file).expect(0);
        let other = TestDatabase::new(service.database.kind).await;
        restore(&other, &file).expect(0);
        agrees(&other, "3 films and 10 changes");
        run(&service.database, &["history", "prune", "--before", "2026-11-23T20:15:01Z"], "").expect(0);
        agrees(&service.database, "3 films and 7 changes");
        run(&service.database, &["history", "prune", "--before", "2999-01-01"], "").expect(0);
        agrees(&service.database, "3 films and 0 changes");
        service.patch("/movie/1", &json!({"rating": 2})).await;
        agrees(&service.database, "3 films and 1 change");
    }
}

on_both! {
    async fn what_something_else_has_changed_is_found(service: &Service) {
        fill(service).await;
        let altered = |film, version| vec![format!("film {film}, version {version}: another program has changed it")];
        let cases = [
            ("UPDATE movie_rows SET rating = 3 WHERE id = 1", altered(1, 4)),
            ("UPDATE movie_rows SET title = 'heat 2' WHERE id = 1", altered(1, 4)),
            ("UPDATE movie_versions SET length = 1 WHERE movie_id = 1 AND version = 2", altered(1, 2)),
            (
                "DELETE FROM movie_rows WHERE id = 4",
                vec!["change 7 touched 3 films, and 2 of these versions are there".to_owned()],
            ),
            (
                "DELETE FROM movie_rows WHERE id = 1",
                vec![
                    "film 1 is not there, and its last version, 3, is no deletion".to_owned(),
                    "change 7 touched 3 films, and 2 of these versions are there".to_owned(),
                ],
            ),
            (
                "DELETE FROM movie_versions WHERE movie_id = 1 AND version = 2",
                vec![
                    "film 1: version 2 is missing".to_owned(),
                    "change 4 touched 1 film, and 0 of these versions are there".to_owned(),
                ],
            ),
            ("DELETE FROM changes WHERE id = 5", vec!["change 5 is missing, which created versions of 1 film".to_owned()]),
            (
                "UPDATE movie_rows SET version = 2 WHERE id = 1",
                vec!["film 1 is version 2, but its history comes to 3".to_owned()],
            ),
            (
                "UPDATE movie_rows SET created_at = 0 WHERE id = 1",
                vec!["film 1, version 4: the time of its creation is another".to_owned()],
            ),
        ];
        for (sql, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("films.backup");
            back_up(&service.database, &file).expect(0);
            let database = TestDatabase::new(service.database.kind).await;
            restore(&database, &file).expect(0);
            database.execute(sql).await.unwrap();
            assert_eq!(differences(&database), expected, "{sql}");
        }
    }
}

on_both! {
    async fn what_was_stored_before_there_were_checksums_is_no_difference(service: &Service) {
        fill(service).await;
        let none = "UPDATE movie_rows SET checksum = NULL; UPDATE movie_versions SET checksum = NULL";
        service.database.execute(none).await.unwrap();
        agrees(&service.database, "3 films and 10 changes");
        service.patch("/movie/1", &json!({"rating": 2})).await;
        service.delete("/movie/2").await;
        agrees(&service.database, "2 films and 12 changes");
    }
}

on_both! {
    async fn differences_without_end_are_counted(service: &Service) {
        service.import("text/csv", "", csv(300)).await;
        service.database.execute("UPDATE movie_rows SET rating = 1").await.unwrap();
        let done = run(&service.database, &["check"], "").expect(1);
        assert_eq!(done.out.lines().count(), 101);
        assert_eq!(done.out.lines().last(), Some("and 200 more"));
        assert_eq!(done.said(), "reelshelf: 300 differences found\n");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_is_not_made() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    run(&database, &["check"], "").refused("there is no database");
    assert!(!database.file().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_no_film_can_be_and_one_that_refers_to_nothing_are_found() {
    let service = Service::start(Kind::Sqlite).await;
    fill(&service).await;
    let broken = "PRAGMA ignore_check_constraints = ON; UPDATE movie_rows SET rating = 9 WHERE id = 1; \
                  PRAGMA foreign_keys = OFF; UPDATE tokens SET user_id = 99 WHERE id = 1";
    service.database.execute(broken).await.unwrap();
    let found = differences(&service.database);
    let expected = [
        "the file is damaged: a row of tokens refers to one of users that is not there",
        "the catalogue cannot be loaded: must be between 1 and 5, got 9",
        "film 1, version 4: must be between 1 and 5, got 9",
    ];
    assert_eq!(found, expected);
}
