//! Long imports: other users continue to read and write, and see nothing of the import before it is complete.

use futures_util::future::join;
use reelshelf::service::staged_imports;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    api::events::Stream,
    on_both,
    support::{
        Answer, Kind, Service,
        films::{csv, empty},
        movie, until,
    },
};

/// More movies than two batches.
const MANY: usize = 1_200;

fn file() -> String {
    csv(MANY)
}

/// Starts an import that waits at the gate, after some of its batches.
async fn begin(service: &Service, options: &str, file: String, key: &str) -> JoinHandle<Answer> {
    let request = service.request(Method::POST, &format!("/movie{options}"));
    let request = request.header("content-type", "text/csv").header("idempotency-key", key).body(file);
    service.imports.hold();
    let import = tokio::spawn(Answer::of(request));
    service.imports.reached().await;
    import
}

/// Lets an import continue, and waits for its end.
async fn end(service: &Service, import: JoinHandle<Answer>) -> Answer {
    service.imports.open();
    import.await.expect("an answer")
}

/// Returns the number of visible movies.
async fn total(service: &Service) -> usize {
    let page = service.get("/movie?limit=1&total=true").await;
    assert_eq!(page.status, 200, "{page:?}");
    page.header("x-total-count").parse().expect("a number")
}

/// Checks that nothing of an import is left, not even hidden rows.
async fn nothing_is_left(service: &Service) {
    if service.database.kind == Kind::Sqlite {
        until(async || service.number("SELECT count(*) FROM staged_imports").await == 0).await;
    }
    assert_eq!(service.number("SELECT count(*) FROM movie_rows").await, 0);
    assert_eq!(service.get("/history").await.json(), json!([]));
}

on_both! {
    async fn others_write_meanwhile_and_see_all_of_it_or_nothing(service: &Service) {
        let import = begin(service, "", file(), "import").await;
        let mut own = Vec::new();
        for _ in 0..3 {
            let made = service.add("Heat", "DVD", 170, 1995, 5).await;
            own.push(made["id"].as_i64().unwrap());
            assert_eq!(total(service).await, own.len());
        }
        let report = end(service, import).await.json();
        assert_eq!((&report["created"], &report["failed"]), (&json!(MANY), &json!(0)), "{report}");
        assert_eq!(total(service).await, own.len() + MANY);
        assert_eq!(service.get("/movie?q=film&limit=1&total=true").await.header("x-total-count"), MANY.to_string());

        let change = service.get(&format!("/history/{}?limit=1", report["change"])).await.json();
        assert_eq!((&change["kind"], &change["movies"], &change["by"]), (&json!("import"), &json!(MANY), &json!("owner")));
        assert_eq!(service.get("/history?total=true").await.header("x-total-count"), (own.len() + 1).to_string());
        let undone = service.post(&format!("/history/{}/undo", report["change"]), &Value::Null).await;
        assert_eq!((undone.status, &undone.json()["movies"]), (200, &json!(MANY)));
        assert_eq!(total(service).await, own.len());
    }
}

on_both! {
    async fn nobody_reads_or_changes_a_movie_before_its_import_is_done(service: &Service) {
        let import = begin(service, "", file(), "import").await;
        let found = [
            service.get("/movie/1").await.status,
            service.patch("/movie/1", &json!({"rating": 5})).await.status,
            service.delete("/movie/1").await.status,
            service.get("/movie/1/history").await.status,
            service.get("/movie/random").await.status,
            service.post("/movie/batch", &json!({"operations": [{"op": "delete", "id": 1},
                {"op": "create", "movie": movie("Heat", "DVD", 170, 1995, 5)}]})).await.status,
        ];
        let lists = [service.get("/movie?q=film").await.json(), service.get("/movie?sort=-title").await.json(), service.get("/history").await.json()];
        let stats = service.get("/stats").await.json();
        assert_eq!(found, [404; 6]);
        assert_eq!((lists, &stats["movies"]), ([json!([]), json!([]), json!([])], &json!(0)));
        assert_eq!(end(service, import).await.status, 200);
        assert_eq!(service.get("/movie/1").await.status, 200);
    }
}

on_both! {
    async fn an_import_whose_sender_is_gone_leaves_nothing(service: &Service) {
        let import = begin(service, "", file(), "import").await;
        import.abort();
        // Another request with the same key waits for the first one to end, and then reports its result.
        let probe = service.request(Method::POST, "/movie").header("content-type", "text/csv");
        let probe = probe.header("idempotency-key", "import").body("title,movieFormat,length,releaseYear,rating\n");
        let probe = Answer::of(probe).await;
        assert_eq!((probe.status, &probe.json()["read"]), (200, &json!(0)), "{probe:?}");
        assert_eq!(total(service).await, 0);
        nothing_is_left(service).await;
    }
}

on_both! {
    async fn what_is_only_tried_or_refused_leaves_nothing(service: &Service) {
        let tried = begin(service, "?dryRun=true", file(), "tried").await;
        let tried = end(service, tried).await;
        assert_eq!((tried.status, &tried.json()["created"]), (200, &json!(MANY)));
        nothing_is_left(service).await;
        let broken = format!("{}\"never closed", file());
        let refused = begin(service, "?onError=skip", broken, "broken").await;
        end(service, refused).await.problem(422);
        nothing_is_left(service).await;
        let with_an_error = format!("{}Film,DVD,90,2000,9\n", file());
        let refused = service.import("text/csv", "", with_an_error).await.problem(422);
        assert_eq!((&refused["report"]["read"], &refused["report"]["failed"]), (&json!(MANY + 1), &json!(1)));
        nothing_is_left(service).await;
    }
}

on_both! {
    async fn of_two_long_imports_the_second_knows_what_the_first_has_stored(service: &Service) {
        let first = begin(service, "", file(), "first").await;
        let (first, second) = join(end(service, first), service.import("text/csv", "", file())).await;
        assert_eq!([first.json()["created"].clone(), second.json()["created"].clone()], [json!(MANY), json!(0)]);
        let twice = file() + &file().replacen("title,movieFormat,length,releaseYear,rating\n", "", 1);
        empty(service).await;
        let report = service.import("text/csv", "", twice).await.json();
        assert_eq!((&report["created"], &report["skipped"]), (&json!(MANY), &json!(MANY)), "{report}");
    }
}

on_both! {
    async fn a_long_import_that_is_sent_again_meanwhile_is_done_once(service: &Service) {
        let first = begin(service, "", file(), "import").await;
        let again = service.request(Method::POST, "/movie").header("content-type", "text/csv");
        let again = Answer::of(again.header("idempotency-key", "import").body(file()));
        let (first, again) = join(end(service, first), again).await;
        assert_eq!((first.status, &first.text), (again.status, &again.text));
        assert_eq!(total(service).await, MANY);
        let other = service.request(Method::POST, "/movie").header("idempotency-key", "import");
        Answer::of(other.json(&movie("Heat", "DVD", 170, 1995, 5))).await.problem(422);
    }
}

on_both! {
    async fn events_name_a_long_import_after_what_was_committed_meanwhile(service: &Service) {
        let earlier = service.add("Earlier", "DVD", 90, 2000, 3).await;
        let import = begin(service, "", file(), "import").await;
        service.add("Meanwhile", "DVD", 90, 2000, 3).await;
        let change = end(service, import).await.json()["change"].clone();
        service.add("Later", "DVD", 90, 2000, 3).await;
        assert_eq!(earlier["id"], 1);
        let mut stream = Stream::open(service, Some(1)).await;
        let mut kinds = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let event = stream.next().await.expect("an event");
            kinds.push(event["kind"].clone());
            ids.push(event["id"].clone());
        }
        let place = kinds.iter().position(|kind| kind == "import").expect("the import");
        assert_eq!(ids[place], change);
        // On PostgreSQL the import began first, so it is also first in the log.
        let expected = usize::from(service.database.kind == Kind::Sqlite);
        assert_eq!(place, expected, "{kinds:?}");
        let mut behind = Stream::open(service, change.as_i64()).await;
        assert_eq!(behind.next().await.expect("an event")["id"], ids[place + 1]);
    }
}

/// A service that was killed during an import.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_service_has_left_is_not_seen_and_is_removed_at_the_next_start() {
    let service = Service::start(Kind::Sqlite).await;
    let _import = begin(&service, "", file(), "import").await;
    // Like after a crash: another service opens a copy of the current file.
    let next = service.over_a_copy().await;
    assert!(next.number("SELECT count(*) FROM movie_rows").await > 0);
    assert_eq!(total(&next).await, 0);
    staged_imports::recover_staged_imports(&next.app).await.unwrap();
    nothing_is_left(&next).await;
    let report = next.import("text/csv", "", file()).await.json();
    assert_eq!(report["created"], MANY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_of_which_a_part_is_gone_before_its_end_fails_and_leaves_nothing() {
    let service = Service::start(Kind::Sqlite).await;
    let import = begin(&service, "", file(), "import").await;
    let mut tx = service.app.db.write().await.unwrap();
    let some = "DELETE FROM movie_rows WHERE id IN (SELECT id FROM movie_rows LIMIT 10)";
    assert_eq!(tx.conn().execute(some, &[]).await.unwrap(), 10);
    tx.commit().await.unwrap();
    end(&service, import).await.problem(500);
    nothing_is_left(&service).await;
}

on_both! {
    async fn an_import_may_take_longer_than_its_request_may_wait(service: &Service) {
        service.imports.pass_deadlines();
        for options in ["", "?onDuplicate=add", "?onDuplicate=update"] {
            let answer = service.import("text/csv", options, file()).await;
            assert_eq!(answer.status, 200, "{options}: {answer:?}");
        }
        assert_eq!(total(service).await, 2 * MANY);
    }
}
