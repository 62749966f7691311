//! Large changes: reads continue at the position before them, and later changes are committed.

use reelshelf::http::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    api::events::Stream,
    on_both,
    support::{Answer, Service, films::csv, movie, until},
};

/// More movies than are applied while reads wait.
const MANY: usize = 1_200;

/// Imports many movies and holds the new catalogue before the swap.
async fn import_and_hold(service: &Service) -> JoinHandle<Answer> {
    totals(service).await; // what was written before is there, and nobody else loads
    service.swaps.hold();
    let import = tokio::spawn(import(service));
    service.swaps.reached().await;
    import
}

fn import(service: &Service) -> impl Future<Output = Answer> + 'static {
    let request = service.request(Method::POST, "/movie").header("idempotency-key", "import");
    Answer::of(request.header("content-type", "text/csv").body(csv(MANY)))
}

async fn ended(answer: JoinHandle<Answer>) -> Value {
    let answer = answer.await.expect("an answer");
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    answer.json()
}

/// Returns the totals of the list and of the statistics.
async fn totals(service: &Service) -> [usize; 2] {
    let list = service.get("/movie?limit=1&total=true").await;
    let counted = service.get("/stats").await.json()["movies"].clone();
    [
        list.header("x-total-count").parse().expect("a number"),
        serde_json::from_value(counted).expect("a number"),
    ]
}

on_both! {
    async fn what_is_written_after_a_large_change_is_shown_with_it_and_not_before(service: &Service) {
        let first = service.add("Heat", "DVD", 170, 1995, 5).await;
        let import = import_and_hold(service).await;
        let imported = service.number("SELECT max(id) FROM movie_rows").await;
        let committed = "SELECT count(*) FROM changes";
        let edits = [
            service.request(Method::PATCH, &format!("/movie/{imported}")).json(&json!({"title": "Edited", "rating": 5})),
            service.request(Method::PATCH, &format!("/movie/{}", first["id"])).json(&json!({"rating": 1})),
            service.request(Method::POST, "/movie").json(&movie("Meanwhile", "VHS", 90, 2000, 3)),
        ];
        let mut edited = Vec::new();
        for (n, edit) in (3..).zip(edits) {
            edited.push(tokio::spawn(Answer::of(edit)));
            until(async || service.number(committed).await == n).await;
        }
        for _ in 0..3 {
            assert_eq!(totals(service).await, [1, 1]);
            assert_eq!(service.get("/movie").await.json(), json!([first]));
            for path in [format!("/movie/{imported}"), "/movie/random?q=edited".to_owned(), "/movie/random?q=meanwhile".to_owned()] {
                assert_eq!(service.get(&path).await.status, 404, "{path}");
            }
        }
        assert!(edited.iter().all(|edit| !edit.is_finished()), "they are answered with the large change");
        service.swaps.open();
        for edit in edited {
            let now = ended(edit).await;
            assert_eq!(service.get(&format!("/movie/{}", now["id"])).await.json(), now);
            assert_eq!(totals(service).await, [MANY + 2, MANY + 2]);
        }
        ended(import).await;
        service.add("Later", "DVD", 90, 2000, 3).await;
        assert_eq!(totals(service).await, [MANY + 3, MANY + 3]);
    }
}

on_both! {
    async fn what_another_has_written_after_a_large_change_is_shown_at_once_with_it(service: &Service) {
        let other = &service.another_instance(Settings::default()).await;
        let import = import_and_hold(service).await;
        let imported = service.number("SELECT max(id) FROM movie_rows").await;
        let path = format!("/movie/{imported}");
        let edited = other.patch(&path, &json!({"rating": 5})).await.json();
        assert_eq!(other.get(&path).await.json(), edited);
        let read = service.request(Method::GET, "/movie");
        let read = tokio::spawn(Answer::of(read)); // which waits for the gate
        service.swaps.open();
        let shown = ended(read).await;
        let shown = shown.as_array().unwrap();
        assert_eq!(shown.len(), MANY);
        assert!(shown.contains(&edited));
        ended(import).await;
    }
}

on_both! {
    async fn an_import_that_is_sent_again_is_answered_when_reads_show_it(service: &Service) {
        let first = import_and_hold(service).await;
        let again = import(service);
        let client = service.request(Method::GET, "/movie?limit=1&total=true");
        let again = tokio::spawn(async move { (again.await, Answer::of(client).await) });
        for _ in 0..10 {
            assert_eq!(totals(service).await, [0, 0]);
        }
        service.swaps.open();
        let (again, read) = again.await.unwrap();
        assert_eq!(read.header("x-total-count"), MANY.to_string());
        assert_eq!(ended(first).await, again.json());
    }
}

on_both! {
    async fn whoever_hears_of_a_large_change_can_read_it(service: &Service) {
        let mut stream = Stream::open(service, None).await;
        let import = import_and_hold(service).await;
        let client = service.request(Method::GET, "/movie?limit=1&total=true");
        let heard = tokio::spawn(async move {
            let event = stream.next().await.expect("an event");
            (event, Answer::of(client).await)
        });
        let mut missed = Stream::open(service, Some(0)).await;
        let client = service.request(Method::GET, "/movie?limit=1&total=true");
        let heard_late = tokio::spawn(async move {
            let event = missed.next().await.expect("an event");
            (event, Answer::of(client).await)
        });
        for _ in 0..10 {
            assert_eq!(totals(service).await, [0, 0]);
        }
        service.swaps.open();
        for heard in [heard, heard_late] {
            let (event, read) = heard.await.unwrap();
            assert_eq!((&event["kind"], &event["movies"]), (&json!("import"), &json!(MANY)));
            assert_eq!(read.header("x-total-count"), MANY.to_string());
        }
        ended(import).await;
    }
}

on_both! {
    async fn of_two_large_changes_one_after_the_other_both_are_shown_when_they_are_answered(service: &Service) {
        let change = service.import("text/csv", "", csv(MANY)).await.json()["change"].clone();
        let others = csv(MANY + 1).replace("Film", "Other");
        service.swaps.hold();
        let others = service.request(Method::POST, "/movie").header("content-type", "text/csv").body(others);
        let import = tokio::spawn(Answer::of(others));
        service.swaps.reached().await;
        let undo = tokio::spawn(Answer::of(service.request(Method::POST, &format!("/history/{change}/undo"))));
        until(async || service.number("SELECT count(*) FROM changes").await == 3).await;
        assert_eq!(totals(service).await, [MANY, MANY]);
        service.swaps.open();
        ended(undo).await;
        assert_eq!(totals(service).await, [MANY + 1, MANY + 1]);
        ended(import).await;
        assert_eq!(totals(service).await, [MANY + 1, MANY + 1]);
    }
}
